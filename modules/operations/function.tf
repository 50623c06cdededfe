locals {
  settings = var.sync.settings

  # A function's name has at most 64 characters and no dots; a table's may have 255, with dots. Where something is cut
  # or replaced, a hash keeps the names of two tables apart.
  full_stem = "${var.name_prefix}${local.settings.table.name}"
  stem = (
    length(local.full_stem) <= 42 && !strcontains(local.full_stem, ".") ? local.full_stem
    : "${substr(replace(local.full_stem, ".", "-"), 0, 33)}-${substr(sha256(local.full_stem), 0, 8)}"
  )
  name = coalesce(var.name, "${local.stem}-opensearch-operations")

  # If the sync is published, its event source mapping follows an alias: that is what runs, and not $LATEST.
  sync_function = (
    var.sync.function_qualifier == null
    ? var.sync.function_name : "${var.sync.function_name}:${var.sync.function_qualifier}"
  )
  sync_function_arn = (
    var.sync.function_qualifier == null ? var.sync.function_arn : var.sync.function_qualified_arn
  )

  # A topic keeps no messages, so there is nothing to redrive, unless a queue that subscribes to it is given.
  failure_type = (
    var.failure_destination == null ? var.sync.failure_destination_type
    : var.failure_destination.fifo_queue != null ? "sqs"
    : var.failure_destination.force_destroy != null ? "s3"
    : split(":", var.failure_destination.arn)[2]
  )
  redriven = contains(["sqs", "s3"], local.failure_type)
  failure_arn = (
    var.failure_destination != null ? var.failure_destination.arn
    : local.redriven ? var.sync.failure_destination_arn : null
  )
  failure_kms_key_arn = (
    var.failure_destination == null && var.failure_destination_kms_key_arn == null
    ? local.settings.failure_destination_kms_key_arn : var.failure_destination_kms_key_arn
  )

  # The sync's own package, or the one beside this module: the sync may be of another root configuration.
  package  = "${path.module}/../../lambda/dist/dynamodb-opensearch.zip"
  filename = local.settings.s3_bucket == null ? coalesce(local.settings.filename, local.package) : null
  is_there = local.filename == null ? true : fileexists(local.filename)
  source_code_hash = (
    local.filename == null ? local.settings.source_code_hash
    : local.is_there ? filebase64sha256(local.filename) : null # null: the precondition below says what to do
  )

  # A function's description has at most 256 characters: if need be, indices are only counted.
  targets = [
    length(var.sync.indices) == 1 ? "index ${var.sync.indices[0]}" : "indices ${join(", ", var.sync.indices)}",
    length(var.sync.indices) == 1 ? "index" : "indices (${length(var.sync.indices)})",
  ]
  purposes = [
    for target in local.targets : "for the OpenSearch ${target} of the DynamoDB table ${local.settings.table.name}"
  ]
  purpose     = local.purposes[length(local.purposes[0]) <= 230 ? 0 : 1]
  description = substr("Runs units of jobs ${local.purpose}.", 0, 256)

  # The operator's own variables. All others are the sync's, so that both functions write in the same way. If INDICES
  # says what they write, the operator first compares it, and its layers, with the sync's function: an apply may have
  # changed only one of them.
  layers = local.settings.projected ? local.settings.layers : []
  environment = {
    DEAD_LETTER_ARN         = local.failure_arn
    LOG_LEVEL               = var.log_level
    MAX_CONCURRENCY         = var.max_concurrency
    REPORT_BUCKET           = one([for bucket in var.report_bucket[*] : split(":", bucket.arn)[5]])
    REQUEST_TIMEOUT_SECONDS = coalesce(var.request_timeout_seconds, local.settings.request_timeout_seconds)
    SYNC_FUNCTION           = local.sync_function
    SYNC_NAME               = local.name
    TRANSFORM_LAYERS        = join(",", local.layers)
  }

  # Those that are left out. They are not found by their values: one that isn't known yet would hide all variables from
  # the plan.
  left_out = compact([
    local.redriven ? "" : "DEAD_LETTER_ARN",
    var.report_bucket == null ? "REPORT_BUCKET" : "",
    local.settings.projected ? "" : "SYNC_FUNCTION",
    length(local.layers) > 0 ? "" : "TRANSFORM_LAYERS",
  ])
  environment_variables = {
    for name, value in merge(local.settings.environment_variables, var.environment_variables, local.environment) :
    name => value if !contains(local.left_out, name)
  }
}

# The provider's own Region: nothing is asked for it.
data "aws_region" "current" {}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116:a dead letter queue is for asynchronous invocations; the state machine waits for the answer

  function_name                      = local.name
  description                        = local.description
  role                               = local.role_arn
  package_type                       = "Zip"
  filename                           = local.filename
  s3_bucket                          = local.settings.s3_bucket
  s3_key                             = local.settings.s3_key
  s3_object_version                  = local.settings.s3_object_version
  source_code_hash                   = local.source_code_hash
  code_signing_config_arn            = local.settings.code_signing_config_arn
  handler                            = "dynamodb_opensearch.functions.operate.handler"
  runtime                            = local.settings.runtime
  architectures                      = local.settings.architectures
  layers                             = local.settings.layers
  memory_size                        = var.memory_size
  timeout                            = var.timeout
  reserved_concurrent_executions     = var.reserved_concurrent_executions
  kms_key_arn                        = local.settings.kms_key_arn
  publish                            = false
  skip_destroy                       = false
  replace_security_groups_on_destroy = local.settings.replace_security_groups_on_destroy
  replacement_security_group_ids     = local.settings.replacement_security_group_ids
  tags                               = var.tags

  environment {
    variables = local.environment_variables
  }

  # The function writes no files: AWS's minimum, which is free.
  ephemeral_storage {
    size = 512
  }

  logging_config {
    log_group  = aws_cloudwatch_log_group.this.name
    log_format = "JSON"
    # INFO even when log_level is higher: metrics are lines without a level, which Lambda treats as INFO and would drop.
    application_log_level = var.log_level == "DEBUG" ? "DEBUG" : "INFO"
    system_log_level      = "INFO"
  }

  tracing_config {
    mode = var.tracing_mode
  }

  dynamic "vpc_config" {
    for_each = local.settings.vpc_config[*]
    content {
      subnet_ids                  = vpc_config.value.subnet_ids
      security_group_ids          = vpc_config.value.security_group_ids
      ipv6_allowed_for_dual_stack = vpc_config.value.ipv6_allowed_for_dual_stack
    }
  }

  # When Lambda creates the function, it checks that the role may attach to a VPC and use the key.
  depends_on = [aws_iam_role_policy.function]

  lifecycle {
    precondition {
      condition = local.is_there
      error_message = join(" ", [
        "The function's package isn't at ${coalesce(local.filename, "-")}: if that is beside this module, Terraform",
        "fetched the module's folder alone. Write two slashes between the repository and the folder, so that it",
        "fetches the whole repository: source = \"…//modules/operations\" (for a local one:",
        "\"/…/terraform-aws-dynamodb-opensearch//modules/operations\").",
      ])
    }

    precondition {
      condition = try(split(":", local.settings.table.arn)[3], "") == data.aws_region.current.id
      error_message = join(" ", [
        "sync.settings.table.arn is ${local.settings.table.arn}, and this module's provider is of",
        "${data.aws_region.current.id}: give the module the provider of the sync's Region (providers = { aws =",
        "aws.ALIAS }).",
      ])
    }

    precondition {
      condition = try(split(":", var.sync.function_arn)[3], "") == data.aws_region.current.id
      error_message = join(" ", [
        "sync.function_arn is ${var.sync.function_arn}, and this module's provider is of",
        "${data.aws_region.current.id}: give the module the provider of the sync's Region (providers = { aws =",
        "aws.ALIAS }).",
      ])
    }
  }
}
