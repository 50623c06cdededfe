# What an apply passes to the function, to the state machine and to the module's outputs. The provider is a mock: see
# policy.tftest.hcl for what the real one makes of the policies.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  # What the root module gives. Here its failure destination is a topic, from which nothing can be redriven.
  sync = {
    domain_arn               = "arn:aws:es:eu-west-1:111122223333:domain/search"
    failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:failures"
    failure_destination_type = "sns"
    function_arn             = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync"
    function_name            = "products-opensearch-sync"
    indices                  = ["products"]
    settings = {
      architectures = ["arm64"]
      environment_variables = {
        BULK_ACTIONS            = "500"
        CONFLICT_WINDOW_SECONDS = "60"
        DEAD_LETTER_ARN         = "arn:aws:sns:eu-west-1:111122223333:failures"
        INDEX                   = "products"
        LOG_LEVEL               = "WARNING"
        OPENSEARCH_AUTH         = "sigv4"
        OPENSEARCH_ENDPOINT     = "https://search-x.eu-west-1.es.amazonaws.com"
        OPENSEARCH_SERVICE      = "es"
        REQUEST_TIMEOUT_SECONDS = "20"
        SYNC_NAME               = "products-opensearch-sync"
        TABLE_KEYS              = "productId"
        TABLE_NAME              = "products"
      }
      filename                = "../../lambda/dist/dynamodb-opensearch.zip"
      layers                  = []
      opensearch_auth         = "sigv4"
      opensearch_service      = "es"
      request_timeout_seconds = 20
      role_path               = "/"
      runtime                 = "python3.13"
      source_code_hash        = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      table = {
        arn          = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        kms_key_arns = []
        name         = "products"
      }
      projected = false
    }
  }
}

run "the_shortest_call" {
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      BULK_ACTIONS            = "500"
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
    condition = (
      aws_lambda_function.this.handler == "dynamodb_opensearch.functions.operate.handler"
      && aws_lambda_function.this.timeout == 900
    )
    error_message = "The function is not the operator, or may not last as long as Lambda allows."
  }

  assert {
    condition = (
      aws_lambda_function.this.filename == "../../lambda/dist/dynamodb-opensearch.zip"
      && aws_lambda_function.this.source_code_hash == filebase64sha256("../../lambda/dist/dynamodb-opensearch.zip")
    )
    error_message = "The function's package is not the sync's."
  }

  assert {
    condition = (
      aws_lambda_function.this.role == aws_iam_role.function.arn
      && aws_sfn_state_machine.this.role_arn == aws_iam_role.state_machine.arn
    )
    error_message = "Function or state machine doesn't run with its own role."
  }

  assert {
    condition = alltrue([
      for state in concat(
        [for name in ["Plan", "Sum"] : jsondecode(aws_sfn_state_machine.this.definition).States[name]],
        [jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.ItemProcessor.States.Work],
      ) :
      state.Parameters.FunctionName == aws_lambda_function.this.arn
      && state.TimeoutSeconds == 960
      && length(state.Retry) == 2
    ])
    error_message = join(" ", [
      "A task doesn't invoke the operator, or doesn't wait for it, or doesn't retry:",
      "${aws_sfn_state_machine.this.definition}",
    ])
  }

  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.MaxConcurrency == 10
      && jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.ToleratedFailureCount == 0
    )
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
    error_message = "An output differs from what was created."
  }
}

run "what_is_given_is_passed_on" {
  variables {
    sync = merge(var.sync, {
      failure_destination_arn  = "arn:aws:s3:::failures"
      failure_destination_type = "s3"
      settings = merge(var.sync.settings, {
        architectures           = ["x86_64"]
        code_signing_config_arn = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
        environment_variables = merge(var.sync.settings.environment_variables, {
          AWS_ENDPOINT_URL_DYNAMODB = "https://dynamodb.example.com"
          MAX_CONCURRENCY           = "7"
          REPORT_BUCKET             = "not-ours"
        })
        filename             = null
        kms_key_arn          = "arn:aws:kms:eu-west-1:111122223333:key/environment"
        layers               = ["arn:aws:lambda:eu-west-1:111122223333:layer:ca:7"]
        log_kms_key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/log"
        permissions_boundary = "arn:aws:iam::111122223333:policy/bound"
        role_path            = "/service/"
        runtime              = "python3.12"
        s3_bucket            = "packages"
        s3_key               = "sync.zip"
        s3_object_version    = "1"
        vpc_config = {
          subnet_ids                  = ["subnet-1"]
          security_group_ids          = ["sg-1"]
          ipv6_allowed_for_dual_stack = true
        }
      })
    })
    environment_variables   = { BULK_ACTIONS = "1000" }
    export_bucket           = { arn = "arn:aws:s3:::exports" }
    max_concurrency         = 3
    report_bucket           = { arn = "arn:aws:s3:::reports" }
    request_timeout_seconds = 5
    timeout                 = 60
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      AWS_ENDPOINT_URL_DYNAMODB = "https://dynamodb.example.com"
      BULK_ACTIONS              = "1000"
      CONFLICT_WINDOW_SECONDS   = "60"
      DEAD_LETTER_ARN           = "arn:aws:s3:::failures"
      INDEX                     = "products"
      LOG_LEVEL                 = "INFO"
      MAX_CONCURRENCY           = "3"
      OPENSEARCH_AUTH           = "sigv4"
      OPENSEARCH_ENDPOINT       = "https://search-x.eu-west-1.es.amazonaws.com"
      OPENSEARCH_SERVICE        = "es"
      REPORT_BUCKET             = "reports"
      REQUEST_TIMEOUT_SECONDS   = "5"
      SYNC_NAME                 = "products-opensearch-operations"
      TABLE_KEYS                = "productId"
      TABLE_NAME                = "products"
    })
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition = (
      aws_lambda_function.this.architectures == tolist(["x86_64"])
      && aws_lambda_function.this.code_signing_config_arn == var.sync.settings.code_signing_config_arn
      && aws_lambda_function.this.filename == null
      && aws_lambda_function.this.kms_key_arn == var.sync.settings.kms_key_arn
      && aws_lambda_function.this.layers == tolist(["arn:aws:lambda:eu-west-1:111122223333:layer:ca:7"])
      && aws_lambda_function.this.runtime == "python3.12"
      && aws_lambda_function.this.s3_bucket == "packages"
      && aws_lambda_function.this.s3_key == "sync.zip"
      && aws_lambda_function.this.s3_object_version == "1"
      && aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1"])
      && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-1"])
      && aws_lambda_function.this.vpc_config[0].ipv6_allowed_for_dual_stack == true
      && aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/log"
      && aws_iam_role.function.permissions_boundary == "arn:aws:iam::111122223333:policy/bound"
      && aws_iam_role.function.path == "/service/"
      && aws_iam_role.state_machine.permissions_boundary == "arn:aws:iam::111122223333:policy/bound"
      && aws_iam_role.state_machine.path == "/service/"
    )
    error_message = "The function is not as the sync's: ${jsonencode(aws_lambda_function.this)}"
  }

  assert {
    condition = (
      jsondecode(aws_sfn_state_machine.this.definition).States.Plan.TimeoutSeconds == 120
      && jsondecode(aws_sfn_state_machine.this.definition).States.DoUnits.MaxConcurrency == 3
    )
    error_message = "The state machine's definition is ${aws_sfn_state_machine.this.definition}"
  }

  assert {
    condition = sort(keys(output.commands)) == tolist([
      "backfill", "create-index", "list", "load", "redrive", "repair", "verify",
    ])
    error_message = "The commands are ${jsonencode(output.commands)}"
  }

  assert {
    condition = output.commands.load == join(" ", [
      "aws stepfunctions start-execution --state-machine-arn ${output.state_machine_arn}",
      "--input '{\"job\":{\"exports\":[\"EXPORT-ARN\"],\"type\":\"load\"}}'",
    ])
    error_message = "The command to load is ${output.commands.load}"
  }
}

run "a_queue_is_redriven" {
  variables {
    sync = merge(var.sync, {
      failure_destination_arn  = "arn:aws:sqs:eu-west-1:111122223333:failures"
      failure_destination_type = "sqs"
    })
  }

  assert {
    condition = (
      aws_lambda_function.this.environment[0].variables.DEAD_LETTER_ARN == "arn:aws:sqs:eu-west-1:111122223333:failures"
      && contains(keys(output.commands), "redrive")
    )
    error_message = "The commands are ${jsonencode(output.commands)}"
  }
}

run "a_queue_that_subscribes_to_the_syncs_topic_is_redriven_and_roles_may_be_elsewhere" {
  variables {
    failure_destination             = { arn = "arn:aws:sqs:eu-west-1:111122223333:subscriber" }
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/subscriber"
    permissions_boundary            = "arn:aws:iam::111122223333:policy/bound"
    role_path                       = "/service/"
  }

  assert {
    condition = (
      var.sync.failure_destination_type == "sns"
      && aws_lambda_function.this.environment[0].variables.DEAD_LETTER_ARN == var.failure_destination.arn
      && contains(keys(output.commands), "redrive")
      && contains(
        flatten([for s in data.aws_iam_policy_document.function.statement : s.resources]), var.failure_destination.arn
      )
      && contains(
        flatten([for s in data.aws_iam_policy_document.function.statement : s.resources]),
        var.failure_destination_kms_key_arn
      )
    )
    error_message = "The commands are ${jsonencode(output.commands)}"
  }

  assert {
    condition = (
      aws_iam_role.function.path == "/service/" && aws_iam_role.state_machine.path == "/service/"
      && aws_iam_role.function.permissions_boundary == var.permissions_boundary
      && aws_iam_role.state_machine.permissions_boundary == var.permissions_boundary
    )
    error_message = "The function's role is ${jsonencode(aws_iam_role.function)}"
  }
}

run "a_long_table_name_still_gives_a_function_name" {
  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        table = merge(var.sync.settings.table, { name = "a.table.with.a.name.that.is.far.longer.than.a.function.s" })
      })
    })
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "a-table-with-a-name-that-is-far-longer-tha-opensearch-operations"
      && aws_sfn_state_machine.this.name == aws_lambda_function.this.function_name
    )
    error_message = "The names are ${aws_lambda_function.this.function_name} and ${aws_sfn_state_machine.this.name}."
  }
}
