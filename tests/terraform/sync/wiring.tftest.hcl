# What an apply passes to the function and to the module's outputs. The provider is a mock: see policy.tftest.hcl and
# arguments.tftest.hcl for what the real one makes of it.

mock_provider "aws" {
  source = "./tests/terraform/sync/mocks"
}

variables {
  index = "products"
  table = {
    name       = "products"
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
    hash_key   = "productId"
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "the_shortest_call" {
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      BULK_ACTIONS            = "500"
      BULK_BYTES              = "3145728"
      BULK_CONNECTIONS        = "2"
      COMPRESSION             = "none"
      CONFLICT_WINDOW_SECONDS = "60"
      DEAD_LETTER_ARN         = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
      INDEX                   = "products"
      LOG_LEVEL               = "INFO"
      OPENSEARCH_AUTH         = "sigv4"
      OPENSEARCH_ENDPOINT     = "https://search-x.eu-west-1.es.amazonaws.com"
      OPENSEARCH_SERVICE      = "es"
      REQUEST_TIMEOUT_SECONDS = "20"
      SKIP_UNCHANGED          = "false"
      SYNC_NAME               = "products-opensearch-sync"
      TABLE_KEYS              = "productId"
      TABLE_NAME              = "products"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition = (
      aws_lambda_function.this.source_code_hash == filebase64sha256("lambda/dist/dynamodb-opensearch.zip")
    )
    error_message = "The function's hash is not that of the package in lambda/dist."
  }

  assert {
    condition     = !startswith(aws_lambda_function.this.filename, "/")
    error_message = "filename is absolute (${aws_lambda_function.this.filename}): another checkout would plan a change."
  }

  assert {
    condition = (
      aws_lambda_function.this.role == aws_iam_role.this[0].arn
      && aws_iam_role_policy.this[0].role == aws_iam_role.this[0].id
    )
    error_message = "The function doesn't run with the role that has the policy."
  }

  assert {
    condition = (
      one(one(aws_lambda_event_source_mapping.this.destination_config).on_failure).destination_arn
      == aws_sqs_queue.failures[0].arn
    )
    error_message = "AWS's own failure records don't go where the dead letters go."
  }

  assert {
    condition = (
      output.function_name == "products-opensearch-sync"
      && output.function_arn == aws_lambda_function.this.arn
      && output.alias_arn == null
      && output.function_qualified_arn == aws_lambda_function.this.arn
      && output.function_qualifier == null
      && output.function_version == null
      && output.rollback_command == null
      && output.role_arn == aws_iam_role.this[0].arn
      && output.role_name == aws_iam_role.this[0].name
      && output.event_source_mapping_uuid == aws_lambda_event_source_mapping.this.uuid
      && output.event_source_mapping_arn == aws_lambda_event_source_mapping.this.arn
      && output.failure_destination_arn == aws_sqs_queue.failures[0].arn
      && output.failure_destination_type == "sqs"
      && output.failure_destination_url == aws_sqs_queue.failures[0].url
      && output.log_group_name == "/aws/lambda/products-opensearch-sync"
      && output.log_group_arn == aws_cloudwatch_log_group.this.arn
      && output.opensearch_endpoint == "https://search-x.eu-west-1.es.amazonaws.com"
      && output.index == "products"
      && output.indices == tolist(["products"])
      && length(output.filters) == 0
      && output.collection_arn == null
      && output.domain_arn == "arn:aws:es:eu-west-1:111122223333:domain/search"
      && output.metrics == toset(["EventCount"])
      && output.stream_arn == aws_lambda_event_source_mapping.this.event_source_arn
      && output.timeout == aws_lambda_function.this.timeout
      && output.policy == data.aws_iam_policy_document.this.json
      && tomap(output.settings.environment_variables) == aws_lambda_function.this.environment[0].variables
      && output.settings.filename == null
      && length(output.settings.indices_parameter_arns) == 0
      && output.settings.projected == false
      && output.settings.source_code_hash == null
      && output.settings.table.arn == var.table.arn
      && output.settings.table.name == "products"
      && length(output.settings.table.kms_key_arns) == 0
    )
    error_message = "An output differs from what was created."
  }
}

run "another_accounts_table_is_reached_by_its_arn" {
  variables {
    table = {
      name       = "products"
      arn        = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
      stream_arn = "arn:aws:dynamodb:eu-west-1:444455556666:table/products/stream/2025-01-01T00:00:00.000"
      hash_key   = "productId"
      range_key  = "variant"
    }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.TABLE_NAME == var.table.arn
    error_message = "TABLE_NAME is ${aws_lambda_function.this.environment[0].variables.TABLE_NAME}."
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.TABLE_KEYS == "productId,variant"
    error_message = "TABLE_KEYS is ${aws_lambda_function.this.environment[0].variables.TABLE_KEYS}."
  }
}

run "key_names_with_a_comma_are_written_as_json" {
  variables {
    table = {
      name       = "products"
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
      hash_key   = "shop,id"
      range_key  = "variant"
    }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.TABLE_KEYS == "[\"shop,id\",\"variant\"]"
    error_message = "TABLE_KEYS is ${aws_lambda_function.this.environment[0].variables.TABLE_KEYS}."
  }
}

# As a data source or a resource gives them: with more attributes than the module asks for, and with "" for null.
run "a_table_and_a_domain_as_a_whole" {
  variables {
    table = {
      name                   = "products"
      id                     = "products"
      arn                    = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
      stream_arn             = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
      stream_enabled         = true
      stream_view_type       = "NEW_AND_OLD_IMAGES"
      hash_key               = "productId"
      range_key              = ""
      server_side_encryption = [{ enabled = false, kms_key_arn = "" }]
      tags                   = { team = "search" }
    }
    domain = {
      arn         = "arn:aws:es:eu-west-1:111122223333:domain/search"
      endpoint    = "search-x.eu-west-1.es.amazonaws.com"
      domain_name = "search"
    }
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.TABLE_KEYS == "productId"
    error_message = "TABLE_KEYS is ${aws_lambda_function.this.environment[0].variables.TABLE_KEYS}."
  }
}

run "a_long_table_name_still_gives_a_function_name" {
  variables {
    table = {
      name       = "a.table.whose.name.is.long.but.still.allowed"
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/a.table.whose.name.is.long.but.still.allowed"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/a.table.whose.name.is.long.but.still.allowed/stream/1"
      hash_key   = "productId"
    }
    name_prefix              = "team-search-"
    failure_destination_type = "s3"
  }

  # 48 characters, the last eight of them from sha256("team-search-a.table.whose.name.is.long.but.still.allowed").
  assert {
    condition = (
      aws_lambda_function.this.function_name == "team-search-a-table-whose-name-is-long--95bf19e2-opensearch-sync"
    )
    error_message = "The function's name is ${aws_lambda_function.this.function_name}."
  }

  assert {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,36}$", aws_s3_bucket.failures[0].bucket_prefix))
    error_message = "The bucket's prefix is ${aws_s3_bucket.failures[0].bucket_prefix}: S3 allows 37 characters."
  }
}

run "a_dot_is_replaced_and_leaves_a_mark" {
  variables {
    table = {
      name       = "team.orders"
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/team.orders"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/team.orders/stream/2025-01-01T00:00:00.000"
      hash_key   = "productId"
    }
  }

  # The table team-orders has the name without a mark.
  assert {
    condition     = aws_lambda_function.this.function_name == "team-orders-ac5ca716-opensearch-sync"
    error_message = "The function's name is ${aws_lambda_function.this.function_name}."
  }

  assert {
    condition     = aws_sqs_queue.failures[0].name == "team-orders-ac5ca716-opensearch-sync-failures"
    error_message = "The queue's name is ${aws_sqs_queue.failures[0].name}."
  }
}

run "a_name_of_just_the_right_length_stays" {
  variables {
    table = {
      name = "a-table-whose-name-has-exactly-as-many-as-fit-in"
      arn  = "arn:aws:dynamodb:eu-west-1:111122223333:table/a-table-whose-name-has-exactly-as-many-as-fit-in"
      stream_arn = join("/stream/", [
        "arn:aws:dynamodb:eu-west-1:111122223333:table/a-table-whose-name-has-exactly-as-many-as-fit-in", "1",
      ])
      hash_key = "productId"
    }
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "a-table-whose-name-has-exactly-as-many-as-fit-in-opensearch-sync"
    )
    error_message = "The function's name is ${aws_lambda_function.this.function_name}."
  }
}

run "a_description_that_is_too_long_is_cut" {
  variables {
    index = join("", [for number in range(25) : "index-name"])
    table = {
      name = join("", [for number in range(25) : "table-name"])
      arn  = "arn:aws:dynamodb:eu-west-1:111122223333:table/${join("", [for number in range(25) : "table-name"])}"
      stream_arn = join("", [
        "arn:aws:dynamodb:eu-west-1:111122223333:table/", join("", [for number in range(25) : "table-name"]),
        "/stream/1",
      ])
      hash_key = "productId"
    }
  }

  assert {
    condition     = length(aws_lambda_function.this.description) <= 256
    error_message = "The description has ${length(aws_lambda_function.this.description)} characters; Lambda allows 256."
  }
}

run "a_name_that_starts_with_an_underscore_still_gives_a_bucket" {
  variables {
    name                     = "_search"
    failure_destination_type = "s3"
  }

  assert {
    condition = aws_s3_bucket.failures[0].bucket_prefix == "search-failures-"
    error_message = join(" ", [
      "The bucket's prefix is ${aws_s3_bucket.failures[0].bucket_prefix}: it must start with a letter or a digit.",
    ])
  }
}

run "a_queue_that_redrives" {
  variables {
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
      max_receive_count      = 10
    }
  }

  assert {
    condition = (
      aws_sqs_queue_redrive_policy.failures[0].queue_url == aws_sqs_queue.failures[0].id
      && jsondecode(aws_sqs_queue_redrive_policy.failures[0].redrive_policy) == {
        deadLetterTargetArn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
        maxReceiveCount     = 10
      }
    )
    error_message = "The queue redrives by ${aws_sqs_queue_redrive_policy.failures[0].redrive_policy}"
  }
}

run "a_collection" {
  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables.OPENSEARCH_ENDPOINT == var.collection.collection_endpoint
      && aws_lambda_function.this.environment[0].variables.OPENSEARCH_SERVICE == "aoss"
    )
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }
}

run "self_managed_with_a_password" {
  variables {
    domain                = null
    opensearch_endpoint   = "https://search.example.com:9200"
    opensearch_auth       = "basic"
    opensearch_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
    opensearch_ca_file    = "/opt/ca.pem"
    environment_variables = { AWS_ENDPOINT_URL_DYNAMODB = "https://dynamodb.example.com" }
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables.OPENSEARCH_ENDPOINT == "https://search.example.com:9200"
      && aws_lambda_function.this.environment[0].variables.OPENSEARCH_AUTH == "basic"
      && aws_lambda_function.this.environment[0].variables.OPENSEARCH_SECRET_ARN == var.opensearch_secret_arn
      && aws_lambda_function.this.environment[0].variables.OPENSEARCH_CA_FILE == "/opt/ca.pem"
      && aws_lambda_function.this.environment[0].variables.AWS_ENDPOINT_URL_DYNAMODB == "https://dynamodb.example.com"
    )
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }
}

run "a_topic_is_created" {
  variables {
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
  }

  assert {
    condition = (
      aws_sns_topic_subscription.failures[0].topic_arn == aws_sns_topic.failures[0].arn
      && aws_sns_topic_subscription.failures[0].protocol == "sqs"
      && aws_sns_topic_subscription.failures[0].endpoint == "arn:aws:sqs:eu-west-1:111122223333:letters"
      && aws_sns_topic_subscription.failures[0].raw_message_delivery == false
    )
    error_message = "The topic's subscriber is ${jsonencode(aws_sns_topic_subscription.failures[0])}"
  }

  assert {
    condition = (
      output.failure_destination_arn == aws_sns_topic.failures[0].arn && output.failure_destination_url == null
    )
    error_message = "The failure destination is ${output.failure_destination_arn}."
  }

  assert {
    condition     = length(aws_sqs_queue.failures) == 0 && length(aws_s3_bucket.failures) == 0
    error_message = "More than the topic was created."
  }
}

run "a_bucket_is_created" {
  variables {
    failure_destination_type = "s3"
  }

  assert {
    condition = (
      output.failure_destination_arn == aws_s3_bucket.failures[0].arn && output.failure_destination_url == null
    )
    error_message = "The failure destination is ${output.failure_destination_arn}."
  }

  assert {
    condition     = length(aws_sqs_queue.failures) == 0 && length(aws_sns_topic.failures) == 0
    error_message = "More than the bucket was created."
  }
}

run "nothing_is_created_beside_a_given_queue" {
  variables {
    failure_destination = {
      arn = "arn:aws:sqs:eu-west-1:111122223333:shared-failures"
      url = "https://sqs.eu-west-1.amazonaws.com/111122223333/shared-failures"
    }
  }

  assert {
    condition = (
      length(aws_sqs_queue.failures) == 0 && length(aws_sns_topic.failures) == 0 && length(aws_s3_bucket.failures) == 0
    )
    error_message = "A failure destination was created although one is given."
  }

  assert {
    condition = (
      output.failure_destination_arn == "arn:aws:sqs:eu-west-1:111122223333:shared-failures"
      && output.failure_destination_url == "https://sqs.eu-west-1.amazonaws.com/111122223333/shared-failures"
      && one(one(aws_lambda_event_source_mapping.this.destination_config).on_failure).destination_arn == (
        "arn:aws:sqs:eu-west-1:111122223333:shared-failures"
      )
      && aws_lambda_function.this.environment[0].variables.DEAD_LETTER_ARN == (
        "arn:aws:sqs:eu-west-1:111122223333:shared-failures"
      )
    )
    error_message = "Failures go to ${output.failure_destination_arn}."
  }
}

run "a_published_function_is_invoked_by_its_alias" {
  variables {
    publish          = true
    function_version = "7"
  }

  assert {
    condition = (
      aws_lambda_function.this.publish == true
      && aws_lambda_alias.live[0].function_name == aws_lambda_function.this.function_name
      && aws_lambda_alias.live[0].function_version == "7"
      && aws_lambda_event_source_mapping.this.function_name == aws_lambda_alias.live[0].arn
      && output.alias_arn == aws_lambda_alias.live[0].arn
      && output.function_qualified_arn == aws_lambda_alias.live[0].arn
      && output.function_qualifier == "live"
      && output.function_version == "7"
      && output.rollback_command == join(" ", [
        "aws lambda update-alias --region eu-west-1 --function-name products-opensearch-sync --name live",
        "--function-version VERSION",
      ])
    )
    error_message = "Lambda invokes ${aws_lambda_event_source_mapping.this.function_name}."
  }
}

run "the_newest_version_is_invoked_unless_one_is_given" {
  variables {
    publish = true
  }

  assert {
    condition     = aws_lambda_alias.live[0].function_version == aws_lambda_function.this.version
    error_message = "The alias is at version ${aws_lambda_alias.live[0].function_version}."
  }
}

run "a_policy_that_you_attach_yourself" {
  variables {
    attach_policy = false
  }

  assert {
    condition     = length(aws_iam_role.this) == 1 && length(aws_iam_role_policy.this) == 0
    error_message = "The role has a policy, or there is no role."
  }
}

run "nothing_is_created_beside_a_given_role" {
  variables {
    role = { arn = "arn:aws:iam::111122223333:role/service/mine" }
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && length(aws_iam_role_policy.this) == 0
    error_message = "A role or a policy was created although a role is given."
  }

  assert {
    condition = (
      aws_lambda_function.this.role == "arn:aws:iam::111122223333:role/service/mine"
      && output.role_arn == "arn:aws:iam::111122223333:role/service/mine"
      && output.role_name == "mine"
    )
    error_message = "The function runs with ${aws_lambda_function.this.role}."
  }
}
