locals {
  # Lambda's names hold 64 characters and no dots; a table's may hold 255, dots too.
  name = coalesce(var.name, "${substr("${var.name_prefix}${replace(var.table.name, ".", "-")}", 0, 42)}-opensearch-operations")

  # A comma stands between names: a name that has one needs the JSON form.
  key_names  = compact([var.table.hash_key, var.table.range_key])
  table_keys = length(regexall(",|^\\[", join(" ", local.key_names))) > 0 ? jsonencode(local.key_names) : join(",", local.key_names)

  # Relative on purpose: with an absolute path every other checkout would plan a change of `filename`.
  package  = "${path.module}/../../lambda/dist/dynamodb-opensearch.zip"
  filename = var.s3_bucket == null ? coalesce(var.filename, local.package) : null

  endpoint = one(concat(
    [for domain in var.domain[*] : startswith(domain.endpoint, "https://") ? domain.endpoint : "https://${domain.endpoint}"],
    var.collection[*].collection_endpoint,
    var.opensearch_endpoint[*],
  ))

  # The log group is always this account's own; the table may be another's, and is then reached by its ARN only.
  account    = split(":", aws_cloudwatch_log_group.this.arn)[4]
  table_name = split(":", var.table.arn)[4] == local.account ? var.table.name : var.table.arn

  # What the function isn't told it does as a sync does by default: BULK_BYTES, COMPRESSION, ….
  environment = {
    CONFLICT_WINDOW_SECONDS = var.conflict_window_seconds
    DEAD_LETTER_ARN         = one(var.failure_destination[*].arn)
    INDEX                   = var.index
    LOG_LEVEL               = var.log_level
    MAX_CONCURRENCY         = var.max_concurrency
    OPENSEARCH_AUTH         = var.opensearch_auth
    OPENSEARCH_CA_FILE      = var.opensearch_ca_file
    OPENSEARCH_ENDPOINT     = local.endpoint
    OPENSEARCH_SECRET_ARN   = var.opensearch_secret_arn
    OPENSEARCH_SERVICE      = var.collection == null ? "es" : "aoss"
    REPORT_BUCKET           = one([for bucket in var.report_bucket[*] : split(":", bucket.arn)[5]])
    REQUEST_TIMEOUT_SECONDS = var.request_timeout_seconds
    SYNC_NAME               = local.name
    TABLE_KEYS              = local.table_keys
    TABLE_NAME              = local.table_name
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous invocations; the state machine waits for this function's answer

  function_name                  = local.name
  description                    = "Does units of jobs for the OpenSearch index ${var.index} of the DynamoDB table ${var.table.name}."
  role                           = aws_iam_role.function.arn
  package_type                   = "Zip"
  filename                       = local.filename
  s3_bucket                      = var.s3_bucket
  s3_key                         = var.s3_key
  s3_object_version              = var.s3_object_version
  source_code_hash               = local.filename == null ? var.source_code_hash : filebase64sha256(local.filename)
  code_signing_config_arn        = var.code_signing_config_arn
  handler                        = "dynamodb_opensearch.functions.operate.handler"
  runtime                        = var.runtime
  architectures                  = var.architectures
  layers                         = var.layers
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrent_executions
  kms_key_arn                    = var.kms_key_arn
  publish                        = false
  skip_destroy                   = false
  tags                           = var.tags

  environment {
    variables = merge(var.environment_variables, { for name, value in local.environment : name => value if value != null })
  }

  # The function writes no files: AWS's smallest, which costs nothing.
  ephemeral_storage {
    size = 512
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
    # INFO even when log_level is higher: Lambda takes a line without a level for INFO, and the metrics are such lines.
    application_log_level = var.log_level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = var.vpc_config[*]
    content {
      subnet_ids                  = vpc_config.value.subnet_ids
      security_group_ids          = vpc_config.value.security_group_ids
      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6_allowed_for_dual_stack
    }
  }

  # Lambda checks while it makes the function that the role may attach to a VPC and use the key.
  depends_on = [aws_iam_role_policy.function]
}
