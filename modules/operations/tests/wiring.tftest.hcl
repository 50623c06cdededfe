# What an apply hands to the function, to the state machine and to whoever uses the module. The provider is a mock: see
# policy.tftest.hcl for what the real one makes of the policies.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  index = "products"
  table = {
    name     = "products"
    arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
    hash_key = "productId"
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "the_shortest_call" {
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      CONFLICT_WINDOW_SECONDS = "60"
      INDEX                   = "products"
      LOG_LEVEL               = "INFO"
      MAX_CONCURRENCY         = "10"
      OPENSEARCH_AUTH         = "sigv4"
      OPENSEARCH_ENDPOINT     = "https://search-x.eu-west-1.es.amazonaws.com"
      OPENSEARCH_SERVICE      = "es"
      REQUEST_TIMEOUT_SECONDS = "20"
      SYNC_NAME               = "products-opensearch-operations"
      TABLE_KEYS              = "productId"
      TABLE_NAME              = "products"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition     = aws_lambda_function.this.handler == "dynamodb_opensearch.functions.operate.handler" && aws_lambda_function.this.timeout == 900
    error_message = "The function is not the operator, or may not last as long as Lambda allows."
  }

  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("../../lambda/dist/dynamodb-opensearch.zip")
    error_message = "The function's hash is not that of the package in lambda/dist."
  }

  assert {
    condition     = !startswith(aws_lambda_function.this.filename, "/")
    error_message = "filename is absolute (${aws_lambda_function.this.filename}): another checkout would plan a change."
  }

  assert {
    condition     = aws_lambda_function.this.role == aws_iam_role.function.arn && aws_sfn_state_machine.this.role_arn == aws_iam_role.state_machine.arn
    error_message = "Function or state machine doesn't run with its own role."
  }

  assert {
    condition = alltrue([
      for state in concat(
        [for name in ["Plan", "Sum"] : jsondecode(aws_sfn_state_machine.this.definition).States[name]],
        [jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.ItemProcessor.States.Work],
      ) : state.Parameters.FunctionName == aws_lambda_function.this.arn && state.TimeoutSeconds == 960 && length(state.Retry) == 2
    ])
    error_message = "A task doesn't invoke the operator, or doesn't wait for it, or doesn't retry: ${aws_sfn_state_machine.this.definition}"
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.MaxConcurrency == 10 && jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.ToleratedFailureCount == 0
    error_message = "The map isn't bounded, or goes on when a unit failed: ${aws_sfn_state_machine.this.definition}"
  }

  assert {
    condition = (
      output.function_name == "products-opensearch-operations"
      && output.function_arn == aws_lambda_function.this.arn
      && output.role_arn == aws_iam_role.function.arn
      && output.log_group_name == "/aws/lambda/products-opensearch-operations"
      && output.state_machine_arn == aws_sfn_state_machine.this.arn
      && sort(keys(output.commands)) == tolist(["backfill", "create-index", "list", "repair", "verify"])
    )
    error_message = "An output tells something else than what was made."
  }
}

run "what_is_given_is_handed_on" {
  variables {
    table = {
      name      = "products"
      arn       = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
      hash_key  = "productId"
      range_key = "variant"
    }
    environment_variables = { BULK_ACTIONS = "1000" }
    export_bucket         = { arn = "arn:aws:s3:::exports" }
    failure_destination   = { arn = "arn:aws:s3:::failures" }
    max_concurrency       = 3
    report_bucket         = { arn = "arn:aws:s3:::reports" }
    timeout               = 60
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      BULK_ACTIONS            = "1000"
      CONFLICT_WINDOW_SECONDS = "60"
      DEAD_LETTER_ARN         = "arn:aws:s3:::failures"
      INDEX                   = "products"
      LOG_LEVEL               = "INFO"
      MAX_CONCURRENCY         = "3"
      OPENSEARCH_AUTH         = "sigv4"
      OPENSEARCH_ENDPOINT     = "https://search-x.eu-west-1.es.amazonaws.com"
      OPENSEARCH_SERVICE      = "es"
      REPORT_BUCKET           = "reports"
      REQUEST_TIMEOUT_SECONDS = "20"
      SYNC_NAME               = "products-opensearch-operations"
      TABLE_KEYS              = "productId,variant"
      TABLE_NAME              = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.this.definition).States.Plan.TimeoutSeconds == 120 && jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.MaxConcurrency == 3
    error_message = "The state machine's definition is ${aws_sfn_state_machine.this.definition}"
  }

  assert {
    condition     = sort(keys(output.commands)) == tolist(["backfill", "create-index", "list", "load", "redrive", "repair", "verify"])
    error_message = "The commands are ${jsonencode(output.commands)}"
  }
}

run "a_long_table_name_still_makes_a_function_name" {
  variables {
    table = {
      name     = "a.table.with.a.name.that.is.far.longer.than.a.function.s.name.may.be"
      arn      = "arn:aws:dynamodb:eu-west-1:111122223333:table/a.table.with.a.name.that.is.far.longer.than.a.function.s.name.may.be"
      hash_key = "productId"
    }
  }

  assert {
    condition     = length(aws_lambda_function.this.function_name) == 64 && aws_sfn_state_machine.this.name == aws_lambda_function.this.function_name
    error_message = "The names are ${aws_lambda_function.this.function_name} and ${aws_sfn_state_machine.this.name}."
  }
}
