# One run with every variable at a good value that is not its default, then one broken value per run: each validation is
# seen to refuse, and nothing else refuses with it.

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

run "everything_good" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "cn-north-1" }
  }

  variables {
    index = ".products-2025_@é"
    table = {
      name                   = "products.v2"
      arn                    = "arn:aws-cn:dynamodb:cn-north-1:111122223333:table/products.v2"
      stream_arn             = "arn:aws-cn:dynamodb:cn-north-1:111122223333:table/products.v2/stream/2025-01-01"
      hash_key               = "productId"
      range_key              = "variant"
      stream_enabled         = true
      server_side_encryption = [{ enabled = true, kms_key_arn = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd" }]
    }
    domain = {
      arn      = "arn:aws-cn:es:cn-north-1:111122223333:domain/search"
      endpoint = "search.example.com"
    }
    architectures                       = ["x86_64"]
    batch_size                          = 10000
    bisect_batch_on_function_error      = false
    bulk_actions                        = 10000
    bulk_bytes                          = 10485760
    bulk_connections                    = 8
    compression                         = "gzip"
    conflict_window_seconds             = 3600
    enabled                             = false
    environment_variables               = { AWS_ENDPOINT_URL_DYNAMODB = "https://dynamodb.cn-north-1.amazonaws.com.cn" }
    failure_destination                 = { arn = "arn:aws-cn:s3:::failures.example.com", force_destroy = false }
    failure_destination_expiration_days = 3650
    failure_destination_force_destroy   = true
    failure_destination_kms_key_arn     = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd"
    failure_destination_type            = "s3"
    filters                             = ["{\"dynamodb\":{\"Keys\":{\"productId\":{\"S\":[{\"prefix\":\"p\"}]}}}}"]
    filters_kms_key_arn                 = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    kms_key_arn                         = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    layers                              = ["arn:aws-cn:lambda:cn-north-1:111122223333:layer:ca:7"]
    log_format                          = "Text"
    log_kms_key_arn                     = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    log_level                           = "ERROR"
    log_retention_in_days               = 0
    maximum_batching_window_in_seconds  = 300
    maximum_record_age_in_seconds       = 604800
    maximum_retry_attempts              = 10000
    memory_size                         = 10240
    metrics                             = []
    name                                = "search-sync"
    opensearch_auth                     = "basic"
    opensearch_ca_file                  = "/opt/ca.pem"
    opensearch_secret_arn               = "arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:search-AbCdEf"
    opensearch_secret_kms_key_arn       = "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd"
    parallelization_factor              = 10
    permissions_boundary                = "arn:aws-cn:iam::111122223333:policy/bound"
    request_timeout_seconds             = 300
    reserved_concurrent_executions      = 0
    role_name                           = "sync@search"
    role_path                           = "/service/search/"
    runtime                             = "python3.11"
    s3_bucket                           = "packages"
    s3_key                              = "sync.zip"
    s3_object_version                   = "1"
    source_code_hash                    = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    starting_position                   = "LATEST"
    system_log_level                    = "WARN"
    tags                                = { team = "search" }
    timeout                             = 900
    tracing_mode                        = "Active"
    tumbling_window_in_seconds          = 900
    vpc_config                          = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }
}

run "a_signed_package" {
  command = plan

  variables {
    code_signing_config_arn = "arn:aws-cn:lambda:cn-north-1:111122223333:code-signing-config:csc-0123456789abcdef0"
    s3_bucket               = "packages"
    s3_key                  = "signed.zip"
  }
}

run "a_topic_with_a_subscriber" {
  command = plan

  variables {
    failure_destination_type = "sns"
    failure_destination_subscription = {
      protocol              = "firehose"
      endpoint              = "arn:aws-cn:firehose:cn-north-1:111122223333:deliverystream/letters"
      subscription_role_arn = "arn:aws-cn:iam::111122223333:role/letters"
    }
  }
}

run "a_pinned_version" {
  command = plan

  variables {
    attach_policy                      = false
    publish                            = true
    function_version                   = "12"
    replace_security_groups_on_destroy = true
    replacement_security_group_ids     = ["sg-2"]
    runtime                            = "python3.11"
    vpc_config                         = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }
}

run "a_queue_that_redrives" {
  command = plan

  variables {
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws-cn:sqs:cn-north-1:111122223333:given-up"
      max_receive_count      = 1000
    }
    maximum_record_age_in_seconds = 121
    name_prefix                   = "team-PROD_"
  }
}

run "a_collection" {
  command = plan

  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
  }
}

run "an_endpoint" {
  command = plan

  variables {
    domain              = null
    opensearch_endpoint = "http://search.example.com:9200/under/a/path"
    opensearch_auth     = "none"
  }
}

run "a_role_and_a_file" {
  command = plan

  variables {
    role     = { arn = "arn:aws:iam::111122223333:role/path/mine" }
    filename = "./function.tf"
  }
}

run "refuses_an_index_in_upper_case" {
  command = plan

  variables {
    index = "Products"
  }

  expect_failures = [var.index]
}

run "refuses_an_index_with_a_wildcard" {
  command = plan

  variables {
    index = "products*"
  }

  expect_failures = [var.index]
}

run "refuses_an_index_with_a_plus" {
  command = plan

  variables {
    index = "a+b"
  }

  expect_failures = [var.index]
}

run "refuses_an_index_that_starts_with_a_hyphen" {
  command = plan

  variables {
    index = "-products"
  }

  expect_failures = [var.index]
}

run "refuses_an_index_that_is_two_dots" {
  command = plan

  variables {
    index = ".."
  }

  expect_failures = [var.index]
}

run "refuses_an_index_of_256_characters" {
  command = plan

  variables {
    index = join("", [for i in range(256) : "a"])
  }

  expect_failures = [var.index]
}

run "refuses_a_table_with_a_stream_arn_for_its_arn" {
  command = plan

  variables {
    table = merge(var.table, {
      arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
    })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_that_is_a_kinesis_stream" {
  command = plan

  variables {
    table = merge(var.table, {
      arn        = "arn:aws:kinesis:eu-west-1:111122223333:stream/products"
      stream_arn = "arn:aws:kinesis:eu-west-1:111122223333:stream/products/stream/2025-01-01T00:00:00.000"
    })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_with_the_arn_of_another" {
  command = plan

  variables {
    table = merge(var.table, { name = "product" })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_without_stream" {
  command = plan

  variables {
    table = merge(var.table, { stream_arn = null })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_with_an_empty_stream_arn" {
  command = plan

  variables {
    table = merge(var.table, { stream_arn = "" })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_whose_stream_is_switched_off" {
  command = plan

  variables {
    table = merge(var.table, { stream_enabled = false })
  }

  expect_failures = [var.table]
}

run "refuses_a_stream_of_another_table" {
  command = plan

  variables {
    table = merge(var.table, {
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/productss/stream/2025-01-01T00:00:00.000"
    })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_without_hash_key" {
  command = plan

  variables {
    table = merge(var.table, { hash_key = "" })
  }

  expect_failures = [var.table]
}

run "refuses_a_table_of_another_region_than_the_providers" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { id = "us-east-1" }
  }

  expect_failures = [aws_lambda_function.this]
}

run "refuses_two_architectures" {
  command = plan

  variables {
    architectures = ["arm64", "x86_64"]
  }

  expect_failures = [var.architectures]
}

run "refuses_an_unknown_architecture" {
  command = plan

  variables {
    architectures = ["arm"]
  }

  expect_failures = [var.architectures]
}

run "refuses_to_attach_nothing_to_a_given_role" {
  command = plan

  variables {
    attach_policy = false
    role          = { arn = "arn:aws:iam::111122223333:role/mine" }
  }

  expect_failures = [var.attach_policy]
}

run "refuses_a_batch_size_of_0" {
  command = plan

  variables {
    batch_size = 0
  }

  expect_failures = [var.batch_size]
}

run "refuses_a_batch_size_of_10001" {
  command = plan

  variables {
    batch_size = 10001
  }

  expect_failures = [var.batch_size]
}

run "refuses_half_a_batch_size" {
  command = plan

  variables {
    batch_size = 1.5
  }

  expect_failures = [var.batch_size]
}

run "refuses_bulk_actions_of_10001" {
  command = plan

  variables {
    bulk_actions = 10001
  }

  expect_failures = [var.bulk_actions]
}

run "refuses_bulk_bytes_under_64_kib" {
  command = plan

  variables {
    bulk_bytes = 65535
  }

  expect_failures = [var.bulk_bytes]
}

run "refuses_bulk_bytes_over_10_mib" {
  command = plan

  variables {
    bulk_bytes = 10485761
  }

  expect_failures = [var.bulk_bytes]
}

run "refuses_9_bulk_connections" {
  command = plan

  variables {
    bulk_connections = 9
  }

  expect_failures = [var.bulk_connections]
}

run "refuses_a_code_signing_config_that_is_none" {
  command = plan

  variables {
    code_signing_config_arn = "csc-1"
    s3_bucket               = "packages"
    s3_key                  = "signed.zip"
  }

  expect_failures = [var.code_signing_config_arn]
}

run "refuses_to_sign_the_modules_own_package" {
  command = plan

  variables {
    code_signing_config_arn = "arn:aws:lambda:eu-west-1:111122223333:code-signing-config:csc-0123456789abcdef0"
  }

  expect_failures = [var.code_signing_config_arn]
}

run "refuses_a_collection_with_a_domain_arn" {
  command = plan

  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:es:eu-west-1:111122223333:domain/search"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
  }

  expect_failures = [var.collection]
}

run "refuses_a_collection_endpoint_that_is_no_url" {
  command = plan

  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "abc123.eu-west-1.aoss.amazonaws.com"
    }
  }

  expect_failures = [var.collection]
}

run "refuses_a_collection_in_another_region" {
  command = plan

  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:us-east-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.us-east-1.aoss.amazonaws.com"
    }
  }

  expect_failures = [var.collection]
}

run "refuses_an_unknown_compression" {
  command = plan

  variables {
    compression = "zstd"
  }

  expect_failures = [var.compression]
}

run "refuses_a_conflict_window_of_9_seconds" {
  command = plan

  variables {
    conflict_window_seconds = 9
  }

  expect_failures = [var.conflict_window_seconds]
}

run "refuses_a_domain_with_a_collection_arn" {
  command = plan

  variables {
    domain = { arn = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123", endpoint = "search.example.com" }
  }

  expect_failures = [var.domain]
}

run "refuses_a_domain_endpoint_with_a_path" {
  command = plan

  variables {
    domain = { arn = "arn:aws:es:eu-west-1:111122223333:domain/search", endpoint = "search.example.com/_dashboards" }
  }

  expect_failures = [var.domain]
}

run "refuses_a_domain_in_another_region" {
  command = plan

  variables {
    domain = { arn = "arn:aws:es:us-east-1:111122223333:domain/search", endpoint = "search.example.com" }
  }

  expect_failures = [var.domain]
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

run "refuses_a_fifo_queue" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sqs:eu-west-1:111122223333:failures.fifo" }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_a_fifo_topic" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sns:eu-west-1:111122223333:failures.fifo" }
  }

  expect_failures = [var.failure_destination]
}

# As with a queue that the same apply creates: its ARN isn't known yet.
run "refuses_a_queue_that_says_that_it_is_fifo" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sqs:eu-west-1:111122223333:letters", fifo_queue = true }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_a_topic_that_says_that_it_is_fifo" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sns:eu-west-1:111122223333:letters", fifo_topic = true }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_a_failure_destination_that_is_a_function" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:failures" }
  }

  expect_failures = [var.failure_destination]
}

run "refuses_failures_that_expire_at_once" {
  command = plan

  variables {
    failure_destination_expiration_days = 0
  }

  expect_failures = [var.failure_destination_expiration_days]
}

run "refuses_a_failure_destination_kms_alias" {
  command = plan

  variables {
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.failure_destination_kms_key_arn]
}

run "refuses_a_redrive_policy_without_a_made_queue" {
  command = plan

  variables {
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
      max_receive_count      = 10
    }
  }

  expect_failures = [var.failure_destination_redrive_policy]
}

run "refuses_a_redrive_policy_for_a_given_queue" {
  command = plan

  variables {
    failure_destination = { arn = "arn:aws:sqs:eu-west-1:111122223333:shared-failures" }
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
      max_receive_count      = 10
    }
  }

  expect_failures = [var.failure_destination_redrive_policy]
}

run "refuses_to_redrive_into_a_fifo_queue" {
  command = plan

  variables {
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up.fifo"
      max_receive_count      = 10
    }
  }

  expect_failures = [var.failure_destination_redrive_policy]
}

run "refuses_to_redrive_after_no_receive" {
  command = plan

  variables {
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
      max_receive_count      = 0
    }
  }

  expect_failures = [var.failure_destination_redrive_policy]
}

run "refuses_a_topic_without_a_subscriber" {
  command = plan

  variables {
    failure_destination_type = "sns"
  }

  expect_failures = [var.failure_destination_subscription]
}

run "refuses_a_subscriber_without_a_topic" {
  command = plan

  variables {
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
  }

  expect_failures = [var.failure_destination_subscription]
}

run "refuses_a_subscriber_of_a_given_topic" {
  command = plan

  variables {
    failure_destination              = { arn = "arn:aws:sns:eu-west-1:111122223333:letters" }
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
  }

  expect_failures = [var.failure_destination_subscription]
}

run "refuses_a_subscriber_by_text_message" {
  command = plan

  variables {
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sms", endpoint = "+10000000000" }
  }

  expect_failures = [var.failure_destination_subscription]
}

run "refuses_a_firehose_without_role" {
  command = plan

  variables {
    failure_destination_type = "sns"
    failure_destination_subscription = {
      protocol = "firehose"
      endpoint = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/letters"
    }
  }

  expect_failures = [var.failure_destination_subscription]
}

run "refuses_an_unknown_failure_destination_type" {
  command = plan

  variables {
    failure_destination_type = "kafka"
  }

  expect_failures = [var.failure_destination_type]
}

run "refuses_a_filename_that_is_not_there" {
  command = plan

  variables {
    filename = "./no.zip"
  }

  expect_failures = [var.filename]
}

run "refuses_both_package_forms" {
  command = plan

  variables {
    filename  = "./function.tf"
    s3_bucket = "packages"
    s3_key    = "sync.zip"
  }

  expect_failures = [var.filename]
}

run "refuses_11_filters" {
  command = plan

  variables {
    filters = [for i in range(11) : jsonencode({ dynamodb = { Keys = { productId = { S = ["p-${i}"] } } } })]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_that_is_no_json" {
  command = plan

  variables {
    filters = ["{dynamodb}"]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_that_is_no_object" {
  command = plan

  variables {
    filters = ["[]"]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_of_4097_characters" {
  command = plan

  variables {
    filters = [jsonencode({ dynamodb = { Keys = { productId = { S = [format("%4051s", "x")] } } } })]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_on_an_image" {
  command = plan

  variables {
    filters = [jsonencode({ dynamodb = { NewImage = { kind = { S = ["product"] } } } })]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_on_keys_and_an_image" {
  command = plan

  variables {
    filters = [
      jsonencode({ dynamodb = { Keys = { productId = { S = ["p"] } } } }),
      jsonencode({ dynamodb = { Keys = { productId = { S = ["p"] } }, OldImage = { kind = { S = ["product"] } } } }),
    ]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_on_the_event_name" {
  command = plan

  variables {
    filters = [jsonencode({ eventName = ["INSERT", "MODIFY"], dynamodb = { Keys = { productId = { S = ["p"] } } } })]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_without_a_condition" {
  command = plan

  variables {
    filters = ["{}"]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filter_whose_dynamodb_is_no_object" {
  command = plan

  variables {
    filters = [jsonencode({ dynamodb = ["Keys"] })]
  }

  expect_failures = [var.filters]
}

run "refuses_a_filters_kms_alias" {
  command = plan

  variables {
    filters_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.filters_kms_key_arn]
}

run "refuses_a_key_for_no_filters" {
  command = plan

  variables {
    filters_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/filters"
  }

  expect_failures = [aws_lambda_event_source_mapping.this]
}

run "refuses_a_version_of_a_function_without_versions" {
  command = plan

  variables {
    function_version = "7"
  }

  expect_failures = [var.function_version]
}

run "refuses_a_version_that_is_no_number" {
  command = plan

  variables {
    publish          = true
    function_version = "$LATEST"
  }

  expect_failures = [var.function_version]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_6_layers" {
  command = plan

  variables {
    layers = [for i in range(6) : "arn:aws:lambda:eu-west-1:111122223333:layer:ca:${i + 1}"]
  }

  expect_failures = [var.layers]
}

run "refuses_a_layer_without_version" {
  command = plan

  variables {
    layers = ["arn:aws:lambda:eu-west-1:111122223333:layer:ca"]
  }

  expect_failures = [var.layers]
}

run "refuses_an_unknown_log_format" {
  command = plan

  variables {
    log_format = "json"
  }

  expect_failures = [var.log_format]
}

run "refuses_a_log_kms_alias" {
  command = plan

  variables {
    log_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.log_kms_key_arn]
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

run "refuses_a_batching_window_of_301_seconds" {
  command = plan

  variables {
    maximum_batching_window_in_seconds = 301
  }

  expect_failures = [var.maximum_batching_window_in_seconds]
}

run "refuses_a_record_age_of_59_seconds" {
  command = plan

  variables {
    maximum_record_age_in_seconds = 59
  }

  expect_failures = [var.maximum_record_age_in_seconds]
}

run "refuses_a_record_age_over_a_week" {
  command = plan

  variables {
    maximum_record_age_in_seconds = 604801
  }

  expect_failures = [var.maximum_record_age_in_seconds]
}

run "refuses_a_record_age_that_the_batching_window_eats_up" {
  command = plan

  variables {
    maximum_batching_window_in_seconds = 300
    maximum_record_age_in_seconds      = 300
  }

  expect_failures = [var.maximum_record_age_in_seconds]
}

run "refuses_a_timeout_as_long_as_the_record_age" {
  command = plan

  variables {
    maximum_record_age_in_seconds = 900
    timeout                       = 900
  }

  expect_failures = [var.maximum_record_age_in_seconds]
}

run "refuses_minus_2_retries" {
  command = plan

  variables {
    maximum_retry_attempts = -2
  }

  expect_failures = [var.maximum_retry_attempts]
}

run "refuses_10001_retries" {
  command = plan

  variables {
    maximum_retry_attempts = 10001
  }

  expect_failures = [var.maximum_retry_attempts]
}

run "refuses_memory_of_127_mb" {
  command = plan

  variables {
    memory_size = 127
  }

  expect_failures = [var.memory_size]
}

run "refuses_a_metric_of_kafka" {
  command = plan

  variables {
    metrics = ["KafkaMetrics"]
  }

  expect_failures = [var.metrics]
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

run "refuses_a_name_prefix_of_33_characters" {
  command = plan

  variables {
    name_prefix = join("", [for i in range(33) : "a"])
  }

  expect_failures = [var.name_prefix]
}

run "refuses_a_name_prefix_beside_a_name" {
  command = plan

  variables {
    name        = "search-sync"
    name_prefix = "team-"
  }

  expect_failures = [var.name_prefix]
}

run "refuses_an_unknown_auth" {
  command = plan

  variables {
    opensearch_auth = "iam"
  }

  expect_failures = [var.opensearch_auth]
}

run "refuses_a_collection_with_basic_auth" {
  command = plan

  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
    opensearch_auth       = "basic"
    opensearch_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
  }

  expect_failures = [var.opensearch_auth]
}

run "refuses_an_empty_ca_file" {
  command = plan

  variables {
    opensearch_ca_file = ""
  }

  expect_failures = [var.opensearch_ca_file]
}

run "refuses_no_opensearch_at_all" {
  command = plan

  variables {
    domain = null
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_a_domain_and_a_collection" {
  command = plan

  variables {
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_a_domain_and_an_endpoint" {
  command = plan

  variables {
    opensearch_endpoint = "https://search.example.com:9200"
    opensearch_auth     = "none"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_an_endpoint_with_sigv4" {
  command = plan

  variables {
    domain              = null
    opensearch_endpoint = "https://search.example.com:9200"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_an_endpoint_without_scheme" {
  command = plan

  variables {
    domain              = null
    opensearch_endpoint = "search.example.com"
    opensearch_auth     = "none"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_an_endpoint_with_a_password" {
  command = plan

  variables {
    domain              = null
    opensearch_endpoint = "https://user:secret@search.example.com"
    opensearch_auth     = "none"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_basic_auth_without_tls" {
  command = plan

  variables {
    domain                = null
    opensearch_endpoint   = "http://search.example.com"
    opensearch_auth       = "basic"
    opensearch_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_basic_auth_without_secret" {
  command = plan

  variables {
    opensearch_auth = "basic"
  }

  expect_failures = [var.opensearch_secret_arn]
}

run "refuses_a_secret_without_basic_auth" {
  command = plan

  variables {
    opensearch_secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
  }

  expect_failures = [var.opensearch_secret_arn]
}

run "refuses_a_secret_that_is_a_parameter" {
  command = plan

  variables {
    opensearch_auth       = "basic"
    opensearch_secret_arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/search"
  }

  expect_failures = [var.opensearch_secret_arn]
}

run "refuses_a_secret_kms_alias" {
  command = plan

  variables {
    opensearch_auth               = "basic"
    opensearch_secret_arn         = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
    opensearch_secret_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.opensearch_secret_kms_key_arn]
}

run "refuses_a_secret_kms_key_without_secret" {
  command = plan

  variables {
    opensearch_secret_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
  }

  expect_failures = [var.opensearch_secret_kms_key_arn]
}

run "refuses_a_parallelization_factor_of_11" {
  command = plan

  variables {
    parallelization_factor = 11
  }

  expect_failures = [var.parallelization_factor]
}

run "refuses_a_boundary_that_is_a_role" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:role/bound"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_a_boundary_for_a_given_role" {
  command = plan

  variables {
    permissions_boundary = "arn:aws:iam::111122223333:policy/bound"
    role                 = { arn = "arn:aws:iam::111122223333:role/mine" }
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_to_replace_security_groups_without_a_vpc" {
  command = plan

  variables {
    replace_security_groups_on_destroy = true
  }

  expect_failures = [var.replace_security_groups_on_destroy]
}

run "refuses_replacements_that_replace_nothing" {
  command = plan

  variables {
    replacement_security_group_ids = ["sg-2"]
    vpc_config                     = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.replacement_security_group_ids]
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

run "refuses_a_role_that_is_a_user" {
  command = plan

  variables {
    role = { arn = "arn:aws:iam::111122223333:user/mine" }
  }

  expect_failures = [var.role]
}

run "refuses_a_role_name_with_a_slash" {
  command = plan

  variables {
    role_name = "service/sync"
  }

  expect_failures = [var.role_name]
}

run "refuses_a_role_name_for_a_given_role" {
  command = plan

  variables {
    role      = { arn = "arn:aws:iam::111122223333:role/mine" }
    role_name = "sync"
  }

  expect_failures = [var.role_name]
}

run "refuses_a_role_path_without_slashes" {
  command = plan

  variables {
    role_path = "service"
  }

  expect_failures = [var.role_path]
}

run "refuses_a_role_path_for_a_given_role" {
  command = plan

  variables {
    role      = { arn = "arn:aws:iam::111122223333:role/mine" }
    role_path = "/service/"
  }

  expect_failures = [var.role_path]
}

run "refuses_a_runtime_that_is_too_old" {
  command = plan

  variables {
    runtime = "python3.10"
  }

  expect_failures = [var.runtime]
}

run "refuses_a_bucket_without_key" {
  command = plan

  variables {
    s3_bucket = "packages"
  }

  expect_failures = [var.s3_bucket]
}

run "refuses_an_object_version_without_bucket" {
  command = plan

  variables {
    s3_object_version = "1"
  }

  expect_failures = [var.s3_object_version]
}

run "refuses_a_hash_without_bucket" {
  command = plan

  variables {
    source_code_hash = "abc"
  }

  expect_failures = [var.source_code_hash]
}

run "refuses_a_start_at_a_timestamp" {
  command = plan

  variables {
    starting_position = "AT_TIMESTAMP"
  }

  expect_failures = [var.starting_position]
}

run "refuses_an_unknown_system_log_level" {
  command = plan

  variables {
    system_log_level = "ERROR"
  }

  expect_failures = [var.system_log_level]
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

run "refuses_a_tumbling_window_of_901_seconds" {
  command = plan

  variables {
    tumbling_window_in_seconds = 901
  }

  expect_failures = [var.tumbling_window_in_seconds]
}

run "refuses_a_vpc_without_subnets" {
  command = plan

  variables {
    vpc_config = { subnet_ids = [], security_group_ids = ["sg-1"] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_a_vpc_without_security_groups" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["subnet-1"], security_group_ids = [] }
  }

  expect_failures = [var.vpc_config]
}

run "refuses_subnets_and_security_groups_mixed_up" {
  command = plan

  variables {
    vpc_config = { subnet_ids = ["sg-1"], security_group_ids = ["subnet-1"] }
  }

  expect_failures = [var.vpc_config]
}
