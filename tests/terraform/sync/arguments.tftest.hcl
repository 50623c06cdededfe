# Every argument as the real provider plans it: it checks them against its schema, which a mock does not do in full.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
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

run "defaults" {
  command = plan

  assert {
    condition = (
      aws_lambda_event_source_mapping.this.event_source_arn == var.table.stream_arn
      && aws_lambda_event_source_mapping.this.enabled == true
      && aws_lambda_event_source_mapping.this.starting_position == "TRIM_HORIZON"
      && aws_lambda_event_source_mapping.this.batch_size == 1000
      && aws_lambda_event_source_mapping.this.maximum_batching_window_in_seconds == 0
      && aws_lambda_event_source_mapping.this.parallelization_factor == 1
      && aws_lambda_event_source_mapping.this.maximum_retry_attempts == -1
      && aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == -1
      && aws_lambda_event_source_mapping.this.bisect_batch_on_function_error == true
      && aws_lambda_event_source_mapping.this.tumbling_window_in_seconds == 0
      && aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.this.kms_key_arn == null
      && length(aws_lambda_event_source_mapping.this.filter_criteria) == 0
      && length(aws_lambda_event_source_mapping.this.destination_config) == 1
      && aws_lambda_event_source_mapping.this.metrics_config[0].metrics == toset(["EventCount"])
    )
    error_message = "The event source mapping is planned as ${jsonencode(aws_lambda_event_source_mapping.this)}"
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "products-opensearch-sync"
      && aws_lambda_function.this.handler == "dynamodb_opensearch.functions.sync.handler"
      && aws_lambda_function.this.runtime == "python3.13"
      && aws_lambda_function.this.architectures == tolist(["arm64"])
      && aws_lambda_function.this.memory_size == 512
      && aws_lambda_function.this.timeout == 120
      && aws_lambda_function.this.reserved_concurrent_executions == -1
      && aws_lambda_function.this.publish == false
      && aws_lambda_function.this.replace_security_groups_on_destroy == false
      && aws_lambda_function.this.ephemeral_storage[0].size == 512
      && aws_lambda_function.this.tracing_config[0].mode == "PassThrough"
      && length(aws_lambda_function.this.vpc_config) == 0
      && length(aws_lambda_function.this.layers) == 0
      && aws_lambda_function.this.kms_key_arn == null
      && aws_lambda_function.this.logging_config[0].log_format == "JSON"
      && aws_lambda_function.this.logging_config[0].application_log_level == "INFO"
      && aws_lambda_function.this.logging_config[0].system_log_level == "INFO"
      && aws_lambda_function.this.logging_config[0].log_group == "/aws/lambda/products-opensearch-sync"
    )
    error_message = "The function is planned as ${jsonencode(aws_lambda_function.this)}"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "The log group is planned as ${jsonencode(aws_cloudwatch_log_group.this)}"
  }

  assert {
    condition = (
      aws_sqs_queue.failures[0].fifo_queue == false
      && aws_sqs_queue.failures[0].message_retention_seconds == 14 * 24 * 60 * 60
      && aws_sqs_queue.failures[0].sqs_managed_sse_enabled == true
      && aws_sqs_queue.failures[0].kms_master_key_id == null
    )
    error_message = "The queue is planned as ${jsonencode(aws_sqs_queue.failures[0])}"
  }

  assert {
    condition     = aws_iam_role.this[0].name_prefix == "products-opensearch-sync-" && aws_iam_role.this[0].path == "/"
    error_message = "The role is planned as ${jsonencode(aws_iam_role.this[0])}"
  }

  assert {
    condition     = length(aws_sqs_queue_redrive_policy.failures) == 0
    error_message = "Messages leave the queue without a redrive policy."
  }
}

run "everything_set" {
  command = plan

  variables {
    architectures                   = ["x86_64"]
    batch_size                      = 50
    bisect_batch_on_function_error  = false
    enabled                         = false
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/failures"
    failure_destination_redrive_policy = {
      dead_letter_target_arn = "arn:aws:sqs:eu-west-1:111122223333:given-up"
      max_receive_count      = 10
    }
    filters = [
      jsonencode({ dynamodb = { Keys = { productId = { S = [{ prefix = "p-" }] } } } }),
      jsonencode({ dynamodb = { Keys = { productId = { S = ["q"] } } } }),
    ]
    filters_kms_key_arn                = "arn:aws:kms:eu-west-1:111122223333:key/filters"
    kms_key_arn                        = "arn:aws:kms:eu-west-1:111122223333:key/environment"
    layers                             = ["arn:aws:lambda:eu-west-1:111122223333:layer:ca:7"]
    log_kms_key_arn                    = "arn:aws:kms:eu-west-1:111122223333:key/logs"
    log_level                          = "ERROR"
    log_retention_in_days              = 365
    maximum_batching_window_in_seconds = 5
    maximum_record_age_in_seconds      = 3600
    maximum_retry_attempts             = 0
    memory_size                        = 1024
    metrics                            = []
    name                               = "search"
    parallelization_factor             = 10
    permissions_boundary               = "arn:aws:iam::111122223333:policy/bound"
    publish                            = true
    replace_security_groups_on_destroy = true
    replacement_security_group_ids     = ["sg-2"]
    reserved_concurrent_executions     = 40
    role_name                          = "search-in-ireland"
    role_path                          = "/service/"
    runtime                            = "python3.12"
    s3_bucket                          = "packages"
    s3_key                             = "sync.zip"
    s3_object_version                  = "1"
    source_code_hash                   = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    starting_position                  = "LATEST"
    system_log_level                   = "WARN"
    tags                               = { team = "search" }
    timeout                            = 900
    tracing_mode                       = "Active"
    tumbling_window_in_seconds         = 900
    vpc_config = {
      subnet_ids                  = ["subnet-1"]
      security_group_ids          = ["sg-1"]
      ipv6_allowed_for_dual_stack = true
    }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.this.enabled == false
      && aws_lambda_event_source_mapping.this.starting_position == "LATEST"
      && aws_lambda_event_source_mapping.this.batch_size == 50
      && aws_lambda_event_source_mapping.this.maximum_batching_window_in_seconds == 5
      && aws_lambda_event_source_mapping.this.parallelization_factor == 10
      && aws_lambda_event_source_mapping.this.maximum_retry_attempts == 0
      && aws_lambda_event_source_mapping.this.maximum_record_age_in_seconds == 3600
      && aws_lambda_event_source_mapping.this.bisect_batch_on_function_error == false
      && aws_lambda_event_source_mapping.this.tumbling_window_in_seconds == 900
      && aws_lambda_event_source_mapping.this.function_response_types == toset(["ReportBatchItemFailures"])
      && aws_lambda_event_source_mapping.this.kms_key_arn == "arn:aws:kms:eu-west-1:111122223333:key/filters"
      && toset(aws_lambda_event_source_mapping.this.filter_criteria[0].filter[*].pattern) == toset(var.filters)
      && length(aws_lambda_event_source_mapping.this.metrics_config) == 0
      && aws_lambda_event_source_mapping.this.tags == tomap({ team = "search" })
    )
    error_message = "The event source mapping is planned as ${jsonencode(aws_lambda_event_source_mapping.this)}"
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "search"
      && aws_lambda_function.this.runtime == "python3.12"
      && aws_lambda_function.this.architectures == tolist(["x86_64"])
      && aws_lambda_function.this.memory_size == 1024
      && aws_lambda_function.this.timeout == 900
      && aws_lambda_function.this.reserved_concurrent_executions == 40
      && aws_lambda_function.this.publish == true
      && aws_lambda_function.this.replace_security_groups_on_destroy == true
      && aws_lambda_function.this.replacement_security_group_ids == toset(["sg-2"])
      && aws_lambda_function.this.tracing_config[0].mode == "Active"
      && aws_lambda_function.this.vpc_config[0].subnet_ids == toset(["subnet-1"])
      && aws_lambda_function.this.vpc_config[0].security_group_ids == toset(["sg-1"])
      && aws_lambda_function.this.vpc_config[0].ipv6_allowed_for_dual_stack == true
      && aws_lambda_function.this.layers == tolist(["arn:aws:lambda:eu-west-1:111122223333:layer:ca:7"])
      && aws_lambda_function.this.kms_key_arn == "arn:aws:kms:eu-west-1:111122223333:key/environment"
      && aws_lambda_function.this.filename == null
      && aws_lambda_function.this.s3_bucket == "packages"
      && aws_lambda_function.this.s3_key == "sync.zip"
      && aws_lambda_function.this.s3_object_version == "1"
      && aws_lambda_function.this.source_code_hash == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      && aws_lambda_function.this.logging_config[0].system_log_level == "WARN"
      && aws_lambda_function.this.tags == tomap({ team = "search" })
    )
    error_message = "The function is planned as ${jsonencode(aws_lambda_function.this)}"
  }

  # The metrics are lines without a level, which Lambda takes for INFO: a higher level here would drop them.
  assert {
    condition = aws_lambda_function.this.logging_config[0].application_log_level == "INFO"
    error_message = join(" ", [
      "Lambda drops the metrics: application_log_level is",
      "${aws_lambda_function.this.logging_config[0].application_log_level}.",
    ])
  }

  assert {
    condition = (
      aws_iam_role.this[0].permissions_boundary == "arn:aws:iam::111122223333:policy/bound"
      && aws_iam_role.this[0].name == "search-in-ireland"
      && aws_iam_role.this[0].path == "/service/"
      && aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/logs"
      && aws_cloudwatch_log_group.this.retention_in_days == 365
      && aws_sqs_queue.failures[0].kms_master_key_id == "arn:aws:kms:eu-west-1:111122223333:key/failures"
    )
    error_message = "A key, the boundary or the retention did not arrive where it belongs."
  }
}

run "a_name_prefix_starts_all_names" {
  command = plan

  variables {
    name_prefix = "team-prod-"
  }

  assert {
    condition = (
      aws_lambda_function.this.function_name == "team-prod-products-opensearch-sync"
      && aws_cloudwatch_log_group.this.name == "/aws/lambda/team-prod-products-opensearch-sync"
      && aws_iam_role.this[0].name_prefix == "team-prod-products-opensearch-sync-"
      && aws_sqs_queue.failures[0].name == "team-prod-products-opensearch-sync-failures"
    )
    error_message = "The function is named ${aws_lambda_function.this.function_name}."
  }
}

run "text_logs_have_no_levels" {
  command = plan

  variables {
    log_format = "Text"
  }

  assert {
    condition = (
      aws_lambda_function.this.logging_config[0].application_log_level == null
      && aws_lambda_function.this.logging_config[0].system_log_level == null
    )
    error_message = "Lambda refuses levels with log_format Text: ${jsonencode(aws_lambda_function.this.logging_config)}"
  }
}

run "debug_reaches_cloudwatch" {
  command = plan

  variables {
    log_level = "DEBUG"
  }

  assert {
    condition     = aws_lambda_function.this.logging_config[0].application_log_level == "DEBUG"
    error_message = "Lambda drops what the function logs: ${jsonencode(aws_lambda_function.this.logging_config)}"
  }
}

run "a_bucket_is_closed_and_encrypted" {
  command = plan

  variables {
    failure_destination_type            = "s3"
    failure_destination_expiration_days = 30
    failure_destination_kms_key_arn     = "arn:aws:kms:eu-west-1:111122223333:key/failures"
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.failures[0].block_public_acls
      && aws_s3_bucket_public_access_block.failures[0].block_public_policy
      && aws_s3_bucket_public_access_block.failures[0].ignore_public_acls
      && aws_s3_bucket_public_access_block.failures[0].restrict_public_buckets
    )
    error_message = "The bucket may become public."
  }

  assert {
    condition = one([
      for rule in aws_s3_bucket_server_side_encryption_configuration.failures[0].rule :
      one(rule.apply_server_side_encryption_by_default).kms_master_key_id
    ]) == "arn:aws:kms:eu-west-1:111122223333:key/failures"
    error_message = "The bucket is not encrypted with the key."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.failures[0].rule[0].expiration[0].days == 30
    error_message = "The bucket's failures don't expire after 30 days."
  }

  assert {
    condition = (
      aws_s3_bucket.failures[0].force_destroy == false
      && aws_s3_bucket.failures[0].bucket_prefix == "products-opensearch-sync-failures-"
    )
    error_message = "The bucket is planned as ${jsonencode(aws_s3_bucket.failures[0])}"
  }
}

run "a_topic_is_encrypted" {
  command = plan

  variables {
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
  }

  assert {
    condition = (
      aws_sns_topic.failures[0].kms_master_key_id == "alias/aws/sns" && aws_sns_topic.failures[0].fifo_topic == false
    )
    error_message = "The topic is planned as ${jsonencode(aws_sns_topic.failures[0])}"
  }
}
