# One run with every variable at a good value that is not its default, then one broken value per run: each validation is
# seen to refuse, and nothing else refuses with it.

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

run "everything_good" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  variables {
    sync = merge(var.sync, {
      function_arn             = "arn:aws-cn:lambda:cn-north-1:111122223333:function:products-opensearch-sync"
      domain_arn               = "arn:aws-cn:es:cn-north-1:111122223333:domain/search"
      failure_destination_arn  = "arn:aws-cn:s3:::failures.example.com"
      failure_destination_type = "s3"
      settings = merge(var.sync.settings, {
        table = {
          arn          = "arn:aws-cn:dynamodb:cn-north-1:111122223333:table/products.v2"
          kms_key_arns = ["arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"]
          name         = "products.v2"
        }
      })
    })
    attach_policy                    = false
    environment_variables            = { BULK_ACTIONS = "1000" }
    export_bucket                    = { arn = "arn:aws-cn:s3:::exports.example.com" }
    export_bucket_kms_key_arn        = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    failure_destination              = { arn = "arn:aws-cn:sqs:cn-north-1:111122223333:failures", fifo_queue = false }
    failure_destination_kms_key_arn  = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd"
    indices                          = ["products-1", "products-2*"]
    log_level                        = "ERROR"
    log_retention_in_days            = 0
    max_concurrency                  = 1000
    memory_size                      = 10240
    name                             = "search-operations"
    permissions_boundary             = "arn:aws-cn:iam::111122223333:policy/bound"
    report_bucket                    = { arn = "arn:aws-cn:s3:::reports.example.com" }
    report_bucket_kms_key_arn        = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    request_timeout_seconds          = 300
    reserved_concurrent_executions   = 0
    role_name                        = "search-operator"
    role_path                        = "/service/search/"
    state_machine_kms_key_arn        = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    state_machine_log_execution_data = true
    state_machine_log_level          = "FATAL"
    state_machine_role               = { arn = "arn:aws-cn:iam::111122223333:role/service/search/jobs" }
    tags                             = { team = "search" }
    timeout                          = 301
    tracing_mode                     = "Active"
  }
}

run "refuses_a_sync_whose_table_is_a_stream" {
  command = plan

  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        table = merge(var.sync.settings.table, {
          arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
        })
      })
    })
  }

  expect_failures = [var.sync]
}

run "refuses_a_failure_destination_of_another_type" {
  command = plan

  variables {
    sync = merge(var.sync, { failure_destination_type = "sqs" })
  }

  expect_failures = [var.sync]
}

run "refuses_an_environment_variable_that_the_module_sets" {
  command = plan

  variables {
    environment_variables = { INDEX = "other" }
  }

  expect_failures = [var.environment_variables]
}

run "refuses_an_environment_variable_that_lambda_keeps" {
  command = plan

  variables {
    environment_variables = { AWS_LAMBDA_FUNCTION_NAME = "mine" }
  }

  expect_failures = [var.environment_variables]
}

run "refuses_an_environment_variable_with_a_hyphen" {
  command = plan

  variables {
    environment_variables = { MY-NAME = "mine" }
  }

  expect_failures = [var.environment_variables]
}

run "refuses_an_unknown_log_level" {
  command = plan

  variables {
    log_level = "WARN"
  }

  expect_failures = [var.log_level]
}

run "refuses_a_retention_that_cloudwatch_does_not_know" {
  command = plan

  variables {
    log_retention_in_days = 31
  }

  expect_failures = [var.log_retention_in_days]
}

run "refuses_memory_of_127_mb" {
  command = plan

  variables {
    memory_size = 127
  }

  expect_failures = [var.memory_size]
}

run "refuses_a_name_with_a_dot" {
  command = plan

  variables {
    name = "products.sync"
  }

  expect_failures = [var.name]
}

run "refuses_a_name_of_65_characters" {
  command = plan

  variables {
    name = join("", [for i in range(65) : "a"])
  }

  expect_failures = [var.name]
}

run "refuses_a_name_prefix_beside_a_name" {
  command = plan

  variables {
    name        = "search-sync"
    name_prefix = "team-"
  }

  expect_failures = [var.name_prefix]
}

run "refuses_a_request_timeout_of_301_seconds" {
  command = plan

  variables {
    timeout                 = 900
    request_timeout_seconds = 301
  }

  expect_failures = [var.request_timeout_seconds]
}

run "refuses_a_request_timeout_as_long_as_the_invocation" {
  command = plan

  variables {
    timeout = 20
  }

  expect_failures = [var.request_timeout_seconds]
}

run "refuses_a_concurrency_of_minus_2" {
  command = plan

  variables {
    reserved_concurrent_executions = -2
  }

  expect_failures = [var.reserved_concurrent_executions]
}

run "refuses_a_timeout_of_901_seconds" {
  command = plan

  variables {
    timeout = 901
  }

  expect_failures = [var.timeout]
}

run "refuses_an_unknown_tracing_mode" {
  command = plan

  variables {
    tracing_mode = "On"
  }

  expect_failures = [var.tracing_mode]
}

run "refuses_an_export_bucket_that_is_a_queue" {
  command = plan

  variables {
    export_bucket = { arn = "arn:aws:sqs:eu-west-1:111122223333:exports" }
  }

  expect_failures = [var.export_bucket]
}

run "refuses_an_export_bucket_kms_alias" {
  command = plan

  variables {
    export_bucket_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/exports"
  }

  expect_failures = [var.export_bucket_kms_key_arn]
}

run "refuses_a_report_bucket_without_arn" {
  command = plan

  variables {
    report_bucket = { arn = "reports" }
  }

  expect_failures = [var.report_bucket]
}

run "refuses_a_report_bucket_kms_alias" {
  command = plan

  variables {
    report_bucket_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/reports"
  }

  expect_failures = [var.report_bucket_kms_key_arn]
}

run "refuses_an_index_behind_in_upper_case" {
  command = plan

  variables {
    indices = ["products-1", "Products-2"]
  }

  expect_failures = [var.indices]
}

run "refuses_an_index_behind_with_a_wildcard_inside" {
  command = plan

  variables {
    indices = ["products-*-1"]
  }

  expect_failures = [var.indices]
}

run "refuses_1001_units_at_the_same_time" {
  command = plan

  variables {
    max_concurrency = 1001
  }

  expect_failures = [var.max_concurrency]
}

run "refuses_half_a_unit_at_the_same_time" {
  command = plan

  variables {
    max_concurrency = 0.5
  }

  expect_failures = [var.max_concurrency]
}

run "refuses_a_name_prefix_of_23_characters" {
  command = plan

  variables {
    name_prefix = "abcdefghijklmnopqrstuvw"
  }

  expect_failures = [var.name_prefix]
}

run "refuses_a_fifo_queue" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sqs:eu-west-1:111122223333:failures.fifo" }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_a_failure_destination_kms_alias" {
  command = plan

  variables {
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.failure_destination_kms_key_arn]
}

run "refuses_a_boundary_that_is_a_role" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:role/bound"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_a_role_path_without_slashes" {
  command = plan

  variables {
    role_path = "service"
  }

  expect_failures = [var.role_path]
}

run "refuses_a_failure_topic" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sns:eu-west-1:111122223333:failures" }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_a_queue_that_is_fifo_though_its_name_is_not_known" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sqs:eu-west-1:111122223333:failures", fifo_queue = true }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_an_environment_variable_that_is_null" {
  command = plan

  variables {
    environment_variables = { BULK_ACTIONS = null }
  }

  expect_failures = [var.environment_variables]
}

run "refuses_a_role_that_is_a_policy" {
  command = plan

  variables {
    role = { arn = "arn:aws:iam::111122223333:policy/operator" }
  }

  expect_failures = [var.role]
}

run "refuses_a_role_name_with_a_slash" {
  command = plan

  variables {
    role_name = "service/operator"
  }

  expect_failures = [var.role_name]
}

run "refuses_a_role_name_beside_a_role" {
  command = plan

  variables {
    role      = { arn = "arn:aws:iam::111122223333:role/operator" }
    role_name = "operator"
  }

  expect_failures = [var.role_name]
}

run "refuses_a_role_path_where_both_roles_are_given" {
  command = plan

  variables {
    role               = { arn = "arn:aws:iam::111122223333:role/operator" }
    role_path          = "/service/"
    state_machine_role = { arn = "arn:aws:iam::111122223333:role/jobs" }
  }

  expect_failures = [var.role_path]
}

run "refuses_a_state_machine_kms_alias" {
  command = plan

  variables {
    state_machine_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.state_machine_kms_key_arn]
}

run "refuses_execution_data_without_a_log" {
  command = plan

  variables {
    state_machine_log_execution_data = true
  }

  expect_failures = [var.state_machine_log_execution_data]
}

run "refuses_an_unknown_log_level_of_the_state_machine" {
  command = plan

  variables {
    state_machine_log_level = "DEBUG"
  }

  expect_failures = [var.state_machine_log_level]
}

run "refuses_a_state_machine_role_that_is_a_name" {
  command = plan

  variables {
    state_machine_role = { arn = "jobs" }
  }

  expect_failures = [var.state_machine_role]
}

run "refuses_a_state_machine_role_name_of_65_characters" {
  command = plan

  variables {
    state_machine_role_name = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg"
  }

  expect_failures = [var.state_machine_role_name]
}

run "refuses_a_state_machine_role_name_beside_a_state_machine_role" {
  command = plan

  variables {
    state_machine_role      = { arn = "arn:aws:iam::111122223333:role/jobs" }
    state_machine_role_name = "jobs"
  }

  expect_failures = [var.state_machine_role_name]
}

run "refuses_one_name_for_both_roles" {
  command = plan

  variables {
    role_name               = "operations"
    state_machine_role_name = "operations"
  }

  expect_failures = [var.state_machine_role_name]
}

run "refuses_to_leave_out_a_policy_where_both_roles_are_given" {
  command = plan

  variables {
    attach_policy      = false
    role               = { arn = "arn:aws:iam::111122223333:role/operator" }
    state_machine_role = { arn = "arn:aws:iam::111122223333:role/jobs" }
  }

  expect_failures = [var.attach_policy]
}
