# What the indices hold, as the function and its role get it: in the environment as long as it fits there, else from a
# parameter. And the patterns that Lambda gets from rules about keys.

mock_provider "aws" {
  source = "./tests/terraform/sync/mocks"
}

variables {
  table = {
    name       = "shop"
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop/stream/2025-01-01T00:00:00.000"
    hash_key   = "pk"
    range_key  = "sk"
    attribute  = [{ name = "pk", type = "S" }, { name = "sk", type = "S" }, { name = "gsi", type = "S" }]
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "nulls_and_defaults_are_left_out" {
  variables {
    indices = {
      orders = {
        when      = [{ attribute = "sk", begins_with = "ORDER#", equals = null }]
        include   = null
        exclude   = ["pk", "sk"]
        rename    = { ts = "orderedAt" }
        constants = { kind = "order", schema = 2 }
      }
      customers = {
        when = [
          { attribute = "type", equals = ["customer", 7, true] },
          { attribute = "address.city", not_equals = toset(["Ghent"]) },
          { attribute = "deletedAt", exists = false },
        ]
        transform = "search.documents:customer"
        standby   = true
      }
      everything = { when = [], exclude = [], rename = {}, standby = false }
    }
    layers         = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
    skip_unchanged = true
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables.INDICES == jsonencode({
      customers = {
        standby   = true
        transform = "search.documents:customer"
        when = [
          { attribute = "type", equals = ["customer", "7", "true"] },
          { attribute = "address.city", not_equals = ["Ghent"] },
          { attribute = "deletedAt", exists = false },
        ]
      }
      everything = {}
      orders = {
        constants = { kind = "order", schema = 2 }
        exclude   = ["pk", "sk"]
        rename    = { ts = "orderedAt" }
        when      = [{ attribute = "sk", begins_with = "ORDER#" }]
      }
    })
    error_message = "INDICES is ${aws_lambda_function.this.environment[0].variables.INDICES}"
  }

  assert {
    condition = (
      !contains(keys(aws_lambda_function.this.environment[0].variables), "INDEX")
      && aws_lambda_function.this.environment[0].variables.SKIP_UNCHANGED == "true"
    )
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition = (
      output.index == null
      && output.indices == tolist(["customers", "everything", "orders"])
      && output.settings.projected
      && length(output.settings.indices_parameter_arns) == 0
      && length(aws_ssm_parameter.projections) == 0
    )
    error_message = "The outputs are ${jsonencode([output.index, output.indices])}."
  }

  assert {
    condition = aws_lambda_function.this.description == join(" ", [
      "Keeps the OpenSearch indices customers, everything, orders equal to the DynamoDB table shop.",
    ])
    error_message = "The function's description is ${aws_lambda_function.this.description}"
  }
}

run "one_index_with_a_shape" {
  variables {
    indices = { products = { exclude = ["embedding"] } }
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables.INDICES == "{\"products\":{\"exclude\":[\"embedding\"]}}"
      && output.index == "products"
      && output.settings.projected
      && aws_lambda_function.this.description == "Keeps the OpenSearch index products equal to the DynamoDB table shop."
    )
    error_message = "INDICES is ${aws_lambda_function.this.environment[0].variables.INDICES}"
  }
}

# 2,000 bytes are two thirds of base64's characters; letters outside of ASCII have more than one byte.
run "the_longest_json_that_the_environment_takes" {
  variables {
    indices = { a = { constants = { kind = format("é%01967d", 0) } } }
  }

  assert {
    condition = (
      length(aws_lambda_function.this.environment[0].variables.INDICES) == 1999
      && jsondecode(aws_lambda_function.this.environment[0].variables.INDICES).a.constants.kind != ""
    )
    error_message = "INDICES has ${length(aws_lambda_function.this.environment[0].variables.INDICES)} characters."
  }
}

run "longer_json_is_compressed" {
  variables {
    indices = { a = { constants = { kind = format("é%01968d", 0) } } }
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables.INDICES == base64gzip(jsonencode({
      a = { constants = { kind = format("é%01968d", 0) } }
    }))
    error_message = "INDICES is ${aws_lambda_function.this.environment[0].variables.INDICES}"
  }

  assert {
    condition     = length(aws_ssm_parameter.projections) == 0 && length(output.settings.indices_parameter_arns) == 0
    error_message = "A parameter was created although the environment takes the indices."
  }
}

# Hashes: text that gzip doesn't make short.
run "what_the_environment_does_not_take_is_a_parameter" {
  variables {
    indices = { a = { exclude = [for number in range(60) : sha256(tostring(number))] } }
  }

  assert {
    condition = (
      length(aws_ssm_parameter.projections[0].insecure_value) > 2600
      && aws_ssm_parameter.projections[0].insecure_value == base64gzip(jsonencode({
        a = { exclude = [for number in range(60) : sha256(tostring(number))] }
      }))
      && aws_ssm_parameter.projections[0].type == "String"
      && aws_ssm_parameter.projections[0].tier == "Standard"
    )
    error_message = "The parameter has ${length(aws_ssm_parameter.projections[0].insecure_value)} characters."
  }

  # Of the JSON: another version of Terraform may compress it otherwise.
  assert {
    condition = aws_ssm_parameter.projections[0].name == join("-", [
      "indices-shop-opensearch-sync",
      substr(sha256(jsonencode({ a = { exclude = [for number in range(60) : sha256(tostring(number))] } })), 0, 8),
    ])
    error_message = "The parameter's name is ${aws_ssm_parameter.projections[0].name}"
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables.INDICES == aws_ssm_parameter.projections[0].arn
      && one(output.settings.indices_parameter_arns) == aws_ssm_parameter.projections[0].arn
    )
    error_message = "INDICES is ${aws_lambda_function.this.environment[0].variables.INDICES}"
  }
}

run "a_large_parameter_is_an_advanced_one" {
  variables {
    indices = { a = { exclude = [for number in range(120) : sha256(tostring(number))] } }
  }

  assert {
    condition = (
      length(aws_ssm_parameter.projections[0].insecure_value) > 4096
      && aws_ssm_parameter.projections[0].tier == "Advanced"
    )
    error_message = "The parameter has ${length(aws_ssm_parameter.projections[0].insecure_value)} characters."
  }
}

run "a_version_whose_parameter_would_be_gone" {
  command = plan

  variables {
    indices = { a = { exclude = [for number in range(120) : sha256(tostring(number))] } }
    publish = true
  }

  expect_failures = [aws_ssm_parameter.projections]
}

run "indices_that_no_parameter_takes" {
  command = plan

  variables {
    indices = { a = { exclude = [for number in range(240) : sha256(tostring(number))] } }
  }

  expect_failures = [aws_ssm_parameter.projections]
}

run "many_indices_are_only_counted_in_the_description" {
  variables {
    indices = { for number in range(40) : "an-index-${number}" => {} }
  }

  assert {
    condition = (
      aws_lambda_function.this.description == "Keeps the OpenSearch indices (40) equal to the DynamoDB table shop."
    )
    error_message = "The function's description is ${aws_lambda_function.this.description}"
  }
}

run "values_of_several_types_side_by_side" {
  variables {
    indices = {
      products = {
        when      = [{ attribute = "level", equals = [1, true, "x"] }, { attribute = "pk.below", exists = false }]
        constants = { rank = 1, live = true, kind = "product" }
      }
    }
  }

  assert {
    condition = jsondecode(aws_lambda_function.this.environment[0].variables.INDICES).products == {
      when = [
        { attribute = "level", equals = ["1", "true", "x"] },
        { attribute = "pk.below", exists = false },
      ]
      constants = { rank = 1, live = true, kind = "product" }
    }
    error_message = "INDICES is ${aws_lambda_function.this.environment[0].variables.INDICES}"
  }
}
