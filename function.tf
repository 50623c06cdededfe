locals {
  # A function's name has at most 64 characters and no dots; a table's may have 255, with dots. Where something is cut
  # or replaced, a hash keeps the names of two tables apart: with one name, they would share one queue.
  full_stem = "${var.name_prefix}${var.table.name}"
  stem = (
    length(local.full_stem) <= 48 && !strcontains(local.full_stem, ".") ? local.full_stem
    : "${substr(replace(local.full_stem, ".", "-"), 0, 39)}-${substr(sha256(local.full_stem), 0, 8)}"
  )
  name = coalesce(var.name, "${local.stem}-opensearch-sync")

  # A function's description has at most 256 characters: if need be, indices are only counted.
  targets = [
    length(local.indices) == 1 ? "index ${local.indices[0]}" : "indices ${join(", ", local.indices)}",
    length(local.indices) == 1 ? "index" : "indices (${length(local.indices)})",
  ]
  purposes = [
    for target in local.targets : "Keeps the OpenSearch ${target} equal to the DynamoDB table ${var.table.name}."
  ]
  purpose = substr(local.purposes[length(local.purposes[0]) <= 256 ? 0 : 1], 0, 256)

  # Names are separated by commas: a name that contains one needs the JSON form.
  key_names = compact([var.table.hash_key, var.table.range_key])
  table_keys = (
    can(regex(",|^\\[", join(" ", local.key_names))) ? jsonencode(local.key_names) : join(",", local.key_names)
  )

  # Relative on purpose: with an absolute path every other checkout would plan a change of `filename`.
  package  = "${path.module}/lambda/dist/dynamodb-opensearch.zip"
  filename = var.s3_bucket == null ? coalesce(var.filename, local.package) : null

  # A package in S3 can't be hashed here.
  source_code_hash = local.filename == null ? var.source_code_hash : filebase64sha256(local.filename)

  endpoint = one(concat(
    [for domain in var.domain[*] : "https://${trimprefix(domain.endpoint, "https://")}"],
    var.collection[*].collection_endpoint,
    var.opensearch_endpoint[*],
  ))

  # A table in another account can only be reached by its ARN.
  table_name = split(":", var.table.arn)[4] == local.account ? var.table.name : var.table.arn

  environment = {
    BULK_ACTIONS            = var.bulk_actions
    BULK_BYTES              = var.bulk_bytes
    BULK_CONNECTIONS        = var.bulk_connections
    COMPRESSION             = var.compression
    CONFLICT_WINDOW_SECONDS = var.conflict_window_seconds
    DEAD_LETTER_ARN         = local.failure_destination_arn
    INDEX                   = var.index
    INDICES                 = local.projections_value
    LOG_LEVEL               = var.log_level
    OPENSEARCH_AUTH         = var.opensearch_auth
    OPENSEARCH_CA_FILE      = var.opensearch_ca_file
    OPENSEARCH_ENDPOINT     = local.endpoint
    OPENSEARCH_SECRET_ARN   = var.opensearch_secret_arn
    OPENSEARCH_SERVICE      = var.collection == null ? "es" : "aoss"
    REQUEST_TIMEOUT_SECONDS = var.request_timeout_seconds
    SKIP_UNCHANGED          = var.skip_unchanged
    SYNC_NAME               = local.name
    TABLE_KEYS              = local.table_keys
    TABLE_NAME              = local.table_name
  }

  # Those that are left out. They are not found by their values: one that isn't known yet would hide all variables from
  # the plan. hashicorp/aws hides them all the same; the output `settings` shows those that are known.
  left_out = compact([
    local.projected ? "INDEX" : "INDICES",
    var.opensearch_ca_file == null ? "OPENSEARCH_CA_FILE" : "",
    var.opensearch_auth == "basic" ? "" : "OPENSEARCH_SECRET_ARN",
  ])
  environment_variables = merge(
    var.environment_variables,
    { for name, value in local.environment : name => tostring(value) if !contains(local.left_out, name) },
  )
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous invocations; a stream's go to failures.tf

  function_name                  = local.name
  description                    = local.purpose
  role                           = local.role_arn
  package_type                   = "Zip"
  filename                       = local.filename
  s3_bucket                      = var.s3_bucket
  s3_key                         = var.s3_key
  s3_object_version              = var.s3_object_version
  source_code_hash               = local.source_code_hash
  code_signing_config_arn        = var.code_signing_config_arn
  handler                        = "dynamodb_opensearch.functions.sync.handler"
  runtime                        = var.runtime
  architectures                  = var.architectures
  layers                         = var.layers
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrent_executions
  kms_key_arn                    = var.kms_key_arn
  publish                        = var.publish
  skip_destroy                   = false
  tags                           = var.tags

  # The group of an address that the function used can't be deleted for up to 45 minutes, unless it gets another.
  replace_security_groups_on_destroy = var.replace_security_groups_on_destroy
  replacement_security_group_ids     = var.replacement_security_group_ids

  environment {
    variables = local.environment_variables
  }

  # The function writes no files: AWS's minimum, which is free.
  ephemeral_storage {
    size = 512
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = var.log_format
    # INFO even when log_level is higher: metrics are lines without a level, which Lambda treats as INFO and would drop.
    # The function filters its own log lines.
    application_log_level = var.log_format == "JSON" ? (var.log_level == "DEBUG" ? "DEBUG" : "INFO") : null
    system_log_level      = var.log_format == "JSON" ? var.system_log_level : null
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

  lifecycle {
    precondition {
      condition = length(local.contradictions) == 0
      error_message = join(" ", [
        "indices has rules that no item can meet: ${join("; ", local.contradictions)}: change or leave out one of the",
        "conditions.",
      ])
    }

    precondition {
      condition = split(":", var.table.arn)[3] == data.aws_region.current.id
      error_message = join(" ", [
        "table.arn is ${jsonencode(var.table.arn)} and the provider's Region is ${data.aws_region.current.id}: give a",
        "table of that Region (of a global table, its replica there), or the module a provider of the table's Region:",
        "providers = { aws = aws.ALIAS }. Lambda reads streams of its own Region only.",
      ])
    }
  }

  # When Lambda creates the function, it checks that the role may attach to a VPC and use the key.
  depends_on = [aws_iam_role_policy.this]
}

# A name for one version of the function: another version there is a rollback, without a deployment.
resource "aws_lambda_alias" "live" {
  count = var.publish ? 1 : 0

  name             = "live"
  description      = "The version that the event source mapping invokes."
  function_name    = aws_lambda_function.this.function_name
  function_version = coalesce(var.function_version, aws_lambda_function.this.version)

  # A deleted function takes its aliases along.
  lifecycle {
    replace_triggered_by = [aws_lambda_function.this.id]
  }
}

# Known without a call to AWS.
data "aws_region" "current" {}
