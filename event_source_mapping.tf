# A key never changes: all changes of an item match a pattern of keys, or none does. So where the rules of all indices
# are conditions on string keys, records of other keys needn't reach the function: no index can hold their items.
# See https://docs.aws.amazon.com/lambda/latest/dg/with-ddb-filtering.html

locals {
  string_keys = [for key, type in local.key_types : key if type == "S"]

  # What a pattern can't say: numbers by value, exists, and two conditions on one attribute.
  rules = [for projection in values(local.projections) : try(projection.when, [])]
  patterns_say_all = alltrue([for rule in local.rules : (
    length(rule) > 0
    && length(distinct([for condition in rule : condition.attribute])) == length(rule)
    && alltrue([
      for condition in rule : contains(local.string_keys, condition.attribute) && !can(condition.exists)
    ])
  )])
  patterns = distinct([for rule in local.rules : jsonencode({
    dynamodb = {
      Keys = {
        for condition in rule : condition.attribute => {
          S = concat(
            distinct(try(condition.equals, [])),
            [for prefix in try([condition.begins_with], []) : { prefix = prefix }],
            [for values in try([condition.not_equals], []) : { anything-but = distinct(values) }],
          )
        }
      }
    }
  }) if local.patterns_say_all])

  # AWS's limits.
  patterns_fit = length(local.patterns) <= 5 && alltrue([for pattern in local.patterns : length(pattern) <= 4096])

  filters = length(var.filters) == 0 && local.patterns_fit ? tolist(local.patterns) : var.filters

  invoked_arn = var.publish ? one(aws_lambda_alias.live[*].arn) : aws_lambda_function.this.arn
}

# Every argument that applies to a DynamoDB stream is sent, even if it is AWS's default: for several of them
# (maximum_retry_attempts, parallelization_factor, destination_config, …) the provider keeps the old value when the line
# is removed.
resource "aws_lambda_event_source_mapping" "this" {
  event_source_arn                   = var.table.stream_arn
  function_name                      = local.invoked_arn
  enabled                            = var.enabled
  starting_position                  = var.starting_position
  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.maximum_batching_window_in_seconds
  parallelization_factor             = var.parallelization_factor
  maximum_retry_attempts             = var.maximum_retry_attempts
  maximum_record_age_in_seconds      = var.maximum_record_age_in_seconds
  bisect_batch_on_function_error     = var.bisect_batch_on_function_error
  tumbling_window_in_seconds         = var.tumbling_window_in_seconds
  kms_key_arn                        = var.filters_kms_key_arn
  tags                               = var.tags

  # Not optional: without it Lambda ignores the function's answer and treats a partly failed batch as done.
  function_response_types = ["ReportBatchItemFailures"]

  destination_config {
    on_failure {
      destination_arn = local.failure_destination_arn
    }
  }

  dynamic "filter_criteria" {
    for_each = length(local.filters) > 0 ? [local.filters] : []
    content {
      dynamic "filter" {
        for_each = filter_criteria.value
        content {
          pattern = filter.value
        }
      }
    }
  }

  dynamic "metrics_config" {
    for_each = length(var.metrics) > 0 ? [var.metrics] : []
    content {
      metrics = metrics_config.value
    }
  }

  # Lambda only creates it if the role may already read the stream and write to the failure destination.
  depends_on = [aws_iam_role_policy.this]

  # Another name is another function. Lambda disables the mapping of one that is deleted, and no update enables it.
  # See https://github.com/hashicorp/terraform-provider-aws/issues/2601
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]

    precondition {
      condition = var.filters_kms_key_arn == null || length(local.filters) > 0
      error_message = join(" ", [
        "filters_kms_key_arn is ${jsonencode(var.filters_kms_key_arn)}, but there are no filters to encrypt: give",
        "filters, or leave it out.",
      ])
    }
  }
}
