# Two roles: the function's and the state machine's. Each statement has one purpose and names exactly the resources it
# is for; `*` is only used where AWS has no narrower resource, with AWS's reason. Nothing is attached to a role that you
# give: the outputs `policy` and `state_machine_policy` are what it needs.
#
# The first plan shows every statement, because what decides whether there is one is known then. Whether a customer
# managed key is given may not be: it may be created in the same apply. So the keys have documents of their own. No
# document names a managed resource except through a local: Terraform would read it only after each change of that
# resource, and show a change of its tags as one of IAM.

locals {
  role_arn = one(concat(var.role[*].arn, aws_iam_role.function[*].arn))
  role_name = one(concat(
    [for role in var.role[*] : reverse(split("/", role.arn))[0]], aws_iam_role.function[*].name
  ))
  state_machine_role_arn = one(concat(var.state_machine_role[*].arn, aws_iam_role.state_machine[*].arn))
  state_machine_role_name = one(concat(
    [for role in var.state_machine_role[*] : reverse(split("/", role.arn))[0]], aws_iam_role.state_machine[*].name
  ))

  # The sync's indices, and those behind them. IAM can't distinguish the indices of a collection.
  signed      = local.settings.opensearch_auth == "sigv4"
  domain_arns = local.signed && local.settings.opensearch_service == "es" ? [var.sync.domain_arn] : []
  patterns    = [for name in sort(var.indices) : name if endswith(name, "*")]
  index_arns = flatten([
    for arn in local.domain_arns : [for name in concat(var.sync.indices, sort(var.indices)) : "${arn}/${name}"]
  ])
  pattern_arns    = flatten([for arn in local.domain_arns : [for name in local.patterns : "${arn}/${name}"]])
  collection_arns = local.signed && local.settings.opensearch_service == "aoss" ? [var.sync.collection_arn] : []

  failure_queue_arns  = local.failure_type == "sqs" ? [local.failure_arn] : []
  failure_bucket_arns = local.failure_type == "s3" ? [local.failure_arn] : []

  permissions_boundary = (
    var.permissions_boundary == null ? local.settings.permissions_boundary : var.permissions_boundary
  )

  # arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME gives the ARNs of function and state machine before they exist.
  log_group_arn     = aws_cloudwatch_log_group.this.arn
  home              = split(":", local.log_group_arn)
  own_function_arn  = "arn:${local.home[1]}:lambda:${local.home[3]}:${local.home[4]}:function:${local.name}"
  state_machine_arn = "arn:${local.home[1]}:states:${local.home[3]}:${local.home[4]}:stateMachine:${local.name}"
  executions_arn    = "arn:${local.home[1]}:states:${local.home[3]}:${local.home[4]}:execution:${local.name}"
  logs_arn          = "arn:${local.home[1]}:logs:${local.home[3]}:${local.home[4]}:*"
}

# Customer managed keys: of the table, the secret, the failures, the exports, the reports and the environment.
data "aws_iam_policy_document" "function_keys" {
  dynamic "statement" {
    for_each = length(local.settings.table.kms_key_arns) > 0 ? [local.settings.table.kms_key_arns] : []
    content {
      sid       = "DecryptTable"
      actions   = ["kms:Decrypt"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = local.settings.opensearch_secret_kms_key_arn[*]
    content {
      sid       = "DecryptPassword"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.redriven ? local.failure_kms_key_arn[*] : []
    content {
      sid       = "DecryptFailures"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"] # to send failures again
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.export_bucket_kms_key_arn[*]
    content {
      sid       = "DecryptExports"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.report_bucket_kms_key_arn[*]
    content {
      sid       = "EncryptReports"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.settings.kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "function" {
  source_policy_documents = [data.aws_iam_policy_document.function_keys.json]

  statement {
    sid       = "ReadTable"
    actions   = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"]
    resources = [local.settings.table.arn]
  }

  # Which indices are behind an alias, and how many shards each has.
  dynamic "statement" {
    for_each = length(local.index_arns) > 0 ? [local.index_arns] : []
    content {
      sid       = "DescribeIndex"
      actions   = ["es:ESHttpGet"]
      resources = statement.value
    }
  }

  dynamic "statement" {
    for_each = length(local.index_arns) > 0 ? [local.index_arns] : []
    content {
      sid       = "ReadIndex"
      actions   = ["es:ESHttpPost"]
      resources = flatten([for arn in statement.value : ["${arn}/_count", "${arn}/_mget", "${arn}/_search"]])
    }
  }

  # As the sync does. Verify refreshes the index, to see everything that was written; repair removes a document by the
  # name of the index that holds it, even behind an alias.
  dynamic "statement" {
    for_each = length(local.index_arns) > 0 ? [local.index_arns] : []
    content {
      sid       = "WriteIndex"
      actions   = ["es:ESHttpPost"]
      resources = flatten([for arn in statement.value : ["${arn}/_bulk", "${arn}/_refresh"]])
    }
  }

  dynamic "statement" {
    for_each = length(local.index_arns) > 0 ? [local.index_arns] : []
    content {
      sid       = "CreateIndex"
      actions   = ["es:ESHttpPut"]
      resources = statement.value
    }
  }

  # In a resource, `*` matches a slash too: without this, a pattern of `indices` would allow to write documents, index
  # mappings and settings of all indices that it names. create-index sends PUT /INDEX, and nothing below it.
  dynamic "statement" {
    for_each = length(local.pattern_arns) > 0 ? [local.pattern_arns] : []
    content {
      sid       = "CreateNothingBelow"
      effect    = "Deny"
      actions   = ["es:ESHttpPut"]
      resources = [for arn in statement.value : "${arn}/*"]
    }
  }

  # IAM has only this action for a collection's data; its data access policy decides which index may be used.
  dynamic "statement" {
    for_each = local.collection_arns
    content {
      sid       = "ReachCollection"
      actions   = ["aoss:APIAccessAll"]
      resources = [statement.value]
    }
  }

  # INDICES that are too long for the environment.
  dynamic "statement" {
    for_each = length(local.settings.indices_parameter_arns) > 0 ? [local.settings.indices_parameter_arns] : []
    content {
      sid       = "ReadProjections"
      actions   = ["ssm:GetParameter"]
      resources = statement.value
    }
  }

  # With several indices, or with rules and shapes: both functions must have the same before anything is compared.
  dynamic "statement" {
    for_each = local.settings.projected ? [local.sync_function_arn] : []
    content {
      sid       = "CompareCode"
      actions   = ["lambda:GetFunctionConfiguration"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.settings.opensearch_auth == "basic" ? [local.settings.opensearch_secret_arn] : []
    content {
      sid       = "ReadPassword"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  # redrive deletes failures that are done, and sends the others again with their new reason.
  dynamic "statement" {
    for_each = local.failure_queue_arns
    content {
      sid       = "RedriveQueue"
      actions   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:SendMessage"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = local.failure_bucket_arns
    content {
      sid       = "FindFailures"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
    }
  }

  # The prefixes of failure records and of dead letters.
  dynamic "statement" {
    for_each = local.failure_bucket_arns
    content {
      sid       = "RedriveBucket"
      actions   = ["s3:DeleteObject", "s3:GetObject"]
      resources = ["${statement.value}/aws/lambda/*", "${statement.value}/dead-letters/*"]
    }
  }

  # Failures that aren't done stay, as dead letters.
  dynamic "statement" {
    for_each = local.failure_bucket_arns
    content {
      sid       = "KeepFailures"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/dead-letters/*"]
    }
  }

  # A failure record in a queue only points into the stream; one in a bucket holds the stream's records. `*`: it may be
  # older than the table's current stream, and only a role with access to a stream learns that it no longer exists.
  dynamic "statement" {
    for_each = length(local.failure_queue_arns) > 0 ? [local.settings.table.arn] : []
    content {
      sid       = "ReadStream"
      actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = ["${statement.value}/stream/*"]
    }
  }

  dynamic "statement" {
    for_each = var.export_bucket == null ? [] : [local.settings.table.arn]
    content {
      sid       = "FindExports"
      actions   = ["dynamodb:DescribeExport"]
      resources = ["${statement.value}/export/*"]
    }
  }

  # An export may have any prefix.
  dynamic "statement" {
    for_each = var.export_bucket[*].arn
    content {
      sid       = "ReadExports"
      actions   = ["s3:GetObject"]
      resources = ["${statement.value}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.report_bucket[*].arn
    content {
      sid       = "WriteReports"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/reports/*"]
    }
  }

  # `*` after the group: Lambda chooses the names of log streams.
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${local.log_group_arn}:*"]
  }

  # `*`: X-Ray has no resources for these actions.
  dynamic "statement" {
    for_each = var.tracing_mode == "Active" ? ["*"] : []
    content {
      sid       = "Trace"
      actions   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      resources = [statement.value]
    }
  }

  # `*`: the Describe actions have no resources, and Lambda requires the others for all network interfaces, because it
  # creates them itself.
  # See https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  dynamic "statement" {
    for_each = local.settings.vpc_config == null ? [] : ["*"]
    content {
      sid = "AttachToVpc"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = [statement.value]
    }
  }

  # `*` as above: Lambda may do this for the function, but the function's own code may not.
  dynamic "statement" {
    for_each = local.settings.vpc_config == null ? [] : ["*"]
    content {
      sid    = "KeepCodeOffVpc"
      effect = "Deny"
      actions = [
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]
      resources = [statement.value]

      condition {
        test     = "ArnEquals"
        variable = "lambda:SourceFunctionArn"
        values   = [local.own_function_arn]
      }
    }
  }
}

# The state machine's own key, and that key again for the lines of its log, which are encrypted with it on their way.
# See https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
data "aws_iam_policy_document" "state_machine_keys" {
  dynamic "statement" {
    for_each = var.state_machine_kms_key_arn[*]
    content {
      sid       = "EncryptExecutions"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:aws:states:stateMachineArn"
        values   = [local.state_machine_arn, "${local.state_machine_arn}/units"]
      }
    }
  }

  dynamic "statement" {
    for_each = local.logs_executions ? var.state_machine_kms_key_arn[*] : []
    content {
      sid       = "EncryptLogs"
      actions   = ["kms:GenerateDataKey"]
      resources = [statement.value]

      condition {
        test     = "StringEquals"
        variable = "kms:EncryptionContext:SourceArn"
        values   = [local.logs_arn]
      }
    }
  }
}

# See https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
data "aws_iam_policy_document" "state_machine" {
  source_policy_documents = [data.aws_iam_policy_document.state_machine_keys.json]

  statement {
    sid       = "InvokeFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.own_function_arn]
  }

  # The units of a distributed map are executions of the state machine itself.
  statement {
    sid       = "StartUnits"
    actions   = ["states:StartExecution"]
    resources = [local.state_machine_arn]
  }

  # `*` at the end: each execution has a new id.
  statement {
    sid       = "FollowUnits"
    actions   = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
    resources = ["${local.executions_arn}/units:*", "${local.executions_arn}:*"]
  }

  # `*`: log deliveries and CloudWatch Logs' resource policies are the account's, not a log group's.
  # See https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
  dynamic "statement" {
    for_each = local.logs_executions ? ["*"] : []
    content {
      sid = "DeliverLogs"
      actions = [
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
      ]
      resources = [statement.value]
    }
  }

  # `*`: X-Ray has no resources for these actions.
  dynamic "statement" {
    for_each = var.tracing_mode == "Active" ? ["*"] : []
    content {
      sid = "Trace"
      actions = [
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
      ]
      resources = [statement.value]
    }
  }
}

# Each service may only act for this account, and Step Functions only for this state machine. The units of its
# distributed map have an ARN of their own, the state machine's with their label.
# See https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
data "aws_iam_policy_document" "assume_function_role" {
  statement {
    sid     = "LambdaRunsTheFunction"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }

    # IfExists: AWS documents it for Step Functions, but not that Lambda names the account in every call.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:SourceAccount"
      values   = [local.home[4]]
    }
  }
}

data "aws_iam_policy_document" "assume_state_machine_role" {
  statement {
    sid     = "StepFunctionsRunsTheStateMachine"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["states.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.home[4]]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = [local.state_machine_arn, "${local.state_machine_arn}/*", "${local.state_machine_arn}:*"]
    }
  }
}

# A role's name is unique in its account, a function's in its Region: unless a name is given, AWS completes it. That
# also lets a role be replaced while the old one is still in use.
resource "aws_iam_role" "function" {
  count = var.role == null ? 1 : 0

  name                 = var.role_name
  name_prefix          = var.role_name == null ? "${substr(local.name, 0, 37)}-" : null
  path                 = coalesce(var.role_path, local.settings.role_path)
  description          = "Role of the Lambda function ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_function_role.json
  permissions_boundary = local.permissions_boundary
  tags                 = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role" "state_machine" {
  count = var.state_machine_role == null ? 1 : 0

  name                 = var.state_machine_role_name
  name_prefix          = var.state_machine_role_name == null ? "${substr(local.name, 0, 37)}-" : null
  path                 = coalesce(var.role_path, local.settings.role_path)
  description          = "Role of the state machine ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_state_machine_role.json
  permissions_boundary = local.permissions_boundary
  tags                 = var.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy" "function" {
  count = var.role == null && var.attach_policy ? 1 : 0

  name   = "operations"
  role   = aws_iam_role.function[0].id
  policy = data.aws_iam_policy_document.function.json

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy" "state_machine" {
  count = var.state_machine_role == null && var.attach_policy ? 1 : 0

  name   = "operations"
  role   = aws_iam_role.state_machine[0].id
  policy = data.aws_iam_policy_document.state_machine.json

  lifecycle {
    create_before_destroy = true
  }
}
