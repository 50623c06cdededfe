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
      indices_parameter_arns  = []
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
      aws_lambda_function.this.role == aws_iam_role.function[0].arn
      && aws_sfn_state_machine.this.role_arn == aws_iam_role.state_machine[0].arn
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
      && output.role_arn == aws_iam_role.function[0].arn
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
      && aws_iam_role.function[0].permissions_boundary == "arn:aws:iam::111122223333:policy/bound"
      && aws_iam_role.function[0].path == "/service/"
      && aws_iam_role.state_machine[0].permissions_boundary == "arn:aws:iam::111122223333:policy/bound"
      && aws_iam_role.state_machine[0].path == "/service/"
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
        flatten([for s in data.aws_iam_policy_document.function_keys.statement : s.resources]),
        var.failure_destination_kms_key_arn
      )
    )
    error_message = "The commands are ${jsonencode(output.commands)}"
  }

  assert {
    condition = (
      aws_iam_role.function[0].path == "/service/" && aws_iam_role.state_machine[0].path == "/service/"
      && aws_iam_role.function[0].permissions_boundary == var.permissions_boundary
      && aws_iam_role.state_machine[0].permissions_boundary == var.permissions_boundary
    )
    error_message = "The function's role is ${jsonencode(aws_iam_role.function[0])}"
  }
}

run "two_long_table_names_give_two_function_names" {
  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        table = merge(var.sync.settings.table, { name = "a.table.with.a.name.that.is.far.longer.than.a.function.s" })
      })
    })
  }

  # The hash is that of the table's name, which two names that begin alike don't share.
  assert {
    condition = (
      aws_lambda_function.this.function_name == join("-", [
        "a-table-with-a-name-that-is-far-l", substr(sha256(var.sync.settings.table.name), 0, 8), "opensearch-operations"
      ])
      && length(aws_lambda_function.this.function_name) == 64
      && aws_sfn_state_machine.this.name == aws_lambda_function.this.function_name
    )
    error_message = "The names are ${aws_lambda_function.this.function_name} and ${aws_sfn_state_machine.this.name}."
  }
}

run "a_dot_that_is_replaced_leaves_its_mark" {
  variables {
    name_prefix = "prod-"
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, { table = merge(var.sync.settings.table, { name = "shop.orders" }) })
    })
  }

  assert {
    condition = aws_lambda_function.this.function_name == join("-", [
      "prod-shop-orders", substr(sha256("prod-shop.orders"), 0, 8), "opensearch-operations"
    ])
    error_message = "The name is ${aws_lambda_function.this.function_name}."
  }
}

run "a_name_that_just_fits_stays" {
  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        table = merge(var.sync.settings.table, { name = "a-table-with-a-name-of-forty-two-letters-x" })
      })
    })
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name
      == "a-table-with-a-name-of-forty-two-letters-x-opensearch-operations"
    )
    error_message = "The name is ${aws_lambda_function.this.function_name}."
  }
}

run "the_operator_compares_itself_with_the_alias_that_the_trigger_follows" {
  variables {
    sync = merge(var.sync, {
      function_qualifier     = "live"
      function_qualified_arn = "${var.sync.function_arn}:live"
      settings               = merge(var.sync.settings, { projected = true })
    })
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables.SYNC_FUNCTION == "products-opensearch-sync:live"
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }

  assert {
    condition = one([
      for s in data.aws_iam_policy_document.function.statement : s.resources if s.sid == "CompareCode"
    ]) == toset(["${var.sync.function_arn}:live"])
    error_message = "The statements are ${jsonencode(data.aws_iam_policy_document.function.statement)}"
  }
}

run "given_roles_get_nothing_attached" {
  variables {
    role               = { arn = "arn:aws:iam::111122223333:role/service/operator" }
    state_machine_role = { arn = "arn:aws:iam::111122223333:role/jobs" }
  }

  assert {
    condition = (
      length(aws_iam_role.function) + length(aws_iam_role.state_machine) == 0
      && length(aws_iam_role_policy.function) + length(aws_iam_role_policy.state_machine) == 0
      && aws_lambda_function.this.role == var.role.arn
      && aws_sfn_state_machine.this.role_arn == var.state_machine_role.arn
    )
    error_message = "A role is created, or a given one isn't used."
  }

  assert {
    condition = (
      output.role_arn == var.role.arn && output.role_name == "operator"
      && output.state_machine_role_arn == var.state_machine_role.arn && output.state_machine_role_name == "jobs"
      && output.policy == data.aws_iam_policy_document.function.json
      && output.state_machine_policy == data.aws_iam_policy_document.state_machine.json
    )
    error_message = "The outputs aren't about the roles that were given."
  }
}

run "roles_get_the_names_that_are_given_and_no_policy_if_so_wished" {
  variables {
    attach_policy           = false
    role_name               = "operator"
    state_machine_role_name = "jobs"
  }

  assert {
    condition = (
      aws_iam_role.function[0].name == "operator"
      && aws_iam_role.state_machine[0].name == "jobs"
      && length(aws_iam_role_policy.function) + length(aws_iam_role_policy.state_machine) == 0
    )
    error_message = "A role has another name, or a policy."
  }
}

run "the_state_machine_logs_and_has_a_key_of_its_own" {
  variables {
    log_retention_in_days     = 7
    state_machine_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/executions"
    state_machine_log_level   = "ALL"
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, { log_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/log" })
    })
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.state_machine[0].name == "/aws/vendedlogs/states/products-opensearch-operations"
      && aws_cloudwatch_log_group.state_machine[0].retention_in_days == 7
      && aws_cloudwatch_log_group.state_machine[0].kms_key_id == var.sync.settings.log_kms_key_arn
      && output.state_machine_log_group_name == aws_cloudwatch_log_group.state_machine[0].name
    )
    error_message = "The log group is ${jsonencode(aws_cloudwatch_log_group.state_machine)}"
  }

  assert {
    condition = (
      aws_sfn_state_machine.this.logging_configuration[0].level == "ALL"
      && aws_sfn_state_machine.this.logging_configuration[0].include_execution_data == false
      && aws_sfn_state_machine.this.logging_configuration[0].log_destination
      == "${aws_cloudwatch_log_group.state_machine[0].arn}:*"
      && aws_sfn_state_machine.this.encryption_configuration[0].type == "CUSTOMER_MANAGED_KMS_KEY"
      && aws_sfn_state_machine.this.encryption_configuration[0].kms_key_id == var.state_machine_kms_key_arn
    )
    error_message = "The state machine is ${jsonencode(aws_sfn_state_machine.this)}"
  }
}

run "by_default_the_state_machine_has_neither_log_nor_key" {
  assert {
    condition = (
      length(aws_cloudwatch_log_group.state_machine) == 0
      && output.state_machine_log_group_name == null
      && aws_sfn_state_machine.this.logging_configuration[0].level == "OFF"
      && aws_sfn_state_machine.this.encryption_configuration[0].type == "AWS_OWNED_KEY"
      && aws_sfn_state_machine.this.encryption_configuration[0].kms_key_id == null
    )
    error_message = "The state machine is ${jsonencode(aws_sfn_state_machine.this)}"
  }
}

run "the_syncs_way_out_of_a_vpc_is_the_operators" {
  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        replace_security_groups_on_destroy = true
        replacement_security_group_ids     = ["sg-2"]
        vpc_config = {
          subnet_ids                  = ["subnet-1"]
          security_group_ids          = ["sg-1"]
          ipv6_allowed_for_dual_stack = false
        }
      })
    })
  }

  assert {
    condition = (
      aws_lambda_function.this.replace_security_groups_on_destroy == true
      && aws_lambda_function.this.replacement_security_group_ids == toset(["sg-2"])
    )
    error_message = "The function is ${jsonencode(aws_lambda_function.this)}"
  }
}

run "refuses_a_table_of_another_region_than_the_providers" {
  command = plan

  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        table = merge(var.sync.settings.table, { arn = "arn:aws:dynamodb:us-east-1:111122223333:table/products" })
      })
    })
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_a_sync_of_another_region_than_the_providers" {
  command = plan

  variables {
    sync = merge(var.sync, {
      function_arn = "arn:aws:lambda:us-east-1:111122223333:function:products-opensearch-sync"
    })
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_a_package_that_is_not_there" {
  command = plan

  variables {
    sync = merge(var.sync, { settings = merge(var.sync.settings, { filename = "missing.zip" }) })
  }

  expect_failures = [aws_lambda_function.this]
}
