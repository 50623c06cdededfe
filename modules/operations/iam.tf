# Two roles: the function's, and the state machine's. Each statement has one purpose, and names exactly what it is for; a `*`
# stands only where AWS knows no narrower resource, with AWS's reason.

locals {
  # The key of the table is the key of its stream too.
  table_kms_key_arns = compact([
    for encryption in coalesce(var.table.server_side_encryption, []) : encryption.kms_key_arn if encryption.enabled
  ])

  # The index, and those behind it.
  index_arns = flatten([
    for arn in var.opensearch_auth == "sigv4" ? var.domain[*].arn : [] : [
      for name in concat([var.index], sort(var.indices)) : "${arn}/${name}"
    ]
  ])

  failure_queue_arns  = [for destination in var.failure_destination[*] : destination.arn if split(":", destination.arn)[2] == "sqs"]
  failure_bucket_arns = [for destination in var.failure_destination[*] : destination.arn if split(":", destination.arn)[2] == "s3"]

  # arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME says where function and state machine will be, before they are there.
  home              = split(":", aws_cloudwatch_log_group.this.arn)
  own_function_arn  = "arn:${local.home[1]}:lambda:${local.home[3]}:${local.home[4]}:function:${local.name}"
  state_machine_arn = "arn:${local.home[1]}:states:${local.home[3]}:${local.home[4]}:stateMachine:${local.name}"
  executions_arn    = "arn:${local.home[1]}:states:${local.home[3]}:${local.home[4]}:execution:${local.name}"
}

data "aws_iam_policy_document" "function" {
  statement {
    sid       = "ReadTable"
    actions   = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"]
    resources = [var.table.arn]
  }

  dynamic "statement" {
    for_each = length(local.table_kms_key_arns) > 0 ? [local.table_kms_key_arns] : []
    content {
      sid       = "DecryptTable"
      actions   = ["kms:Decrypt"]
      resources = statement.value
    }
  }

  # Which indices an alias stands for, and how many shards each has.
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

  # As the sync does. Verify refreshes, to see all that was written; repair removes a document where it is, by the index's
  # own name, also behind an alias.
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

  # The one action that IAM has for a collection's data; which index may be written is up to its data access policy.
  dynamic "statement" {
    for_each = var.opensearch_auth == "sigv4" ? var.collection[*].arn : []
    content {
      sid       = "ReachCollection"
      actions   = ["aoss:APIAccessAll"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.opensearch_secret_arn[*]
    content {
      sid       = "ReadPassword"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.opensearch_secret_kms_key_arn[*]
    content {
      sid       = "DecryptPassword"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }

  # redrive: what is done is deleted, what isn't is sent again with its new reason.
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

  # The prefixes of Lambda's records and of the function's own dead letters.
  dynamic "statement" {
    for_each = local.failure_bucket_arns
    content {
      sid       = "RedriveBucket"
      actions   = ["s3:DeleteObject", "s3:GetObject"]
      resources = ["${statement.value}/aws/lambda/*", "${statement.value}/dead-letters/*"]
    }
  }

  # What isn't done stays as dead letters, whatever it was.
  dynamic "statement" {
    for_each = local.failure_bucket_arns
    content {
      sid       = "KeepFailures"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/dead-letters/*"]
    }
  }

  dynamic "statement" {
    for_each = var.failure_destination_kms_key_arn[*]
    content {
      sid       = "DecryptFailures"
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"] # for those that are sent again
      resources = [statement.value]
    }
  }

  # Lambda's records in a queue only say where the stream's are; those in a bucket hold them. `*`: a record may be older than
  # the table's present stream, and only who may ask is told that a stream is gone.
  dynamic "statement" {
    for_each = length(local.failure_queue_arns) > 0 ? [var.table.arn] : []
    content {
      sid       = "ReadStream"
      actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = ["${statement.value}/stream/*"]
    }
  }

  dynamic "statement" {
    for_each = var.export_bucket == null ? [] : [var.table.arn]
    content {
      sid       = "FindExports"
      actions   = ["dynamodb:DescribeExport"]
      resources = ["${statement.value}/export/*"]
    }
  }

  # Below whatever prefix an export was given.
  dynamic "statement" {
    for_each = var.export_bucket[*].arn
    content {
      sid       = "ReadExports"
      actions   = ["s3:GetObject"]
      resources = ["${statement.value}/*"]
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
    for_each = var.report_bucket[*].arn
    content {
      sid       = "WriteReports"
      actions   = ["s3:PutObject"]
      resources = ["${statement.value}/reports/*"]
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

  # `*` after the group: the names of log streams are made up by Lambda.
  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.this.arn}:*"]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
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

  # `*`: the Describe actions know no resource, and Lambda wants the others for all network interfaces, which it makes itself.
  # See: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
  dynamic "statement" {
    for_each = var.vpc_config == null ? [] : ["*"]
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

  # `*` as above: what Lambda may do for the function, the function's own code may not.
  dynamic "statement" {
    for_each = var.vpc_config == null ? [] : ["*"]
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

# See: https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
data "aws_iam_policy_document" "state_machine" {
  statement {
    sid       = "InvokeFunction"
    actions   = ["lambda:InvokeFunction"]
    resources = [local.own_function_arn]
  }

  # A distributed map's units are executions of the machine itself.
  statement {
    sid       = "StartUnits"
    actions   = ["states:StartExecution"]
    resources = [local.state_machine_arn]
  }

  # `*` at the end: the ids of executions are made up as they come.
  statement {
    sid       = "FollowUnits"
    actions   = ["states:DescribeExecution", "states:RedriveExecution", "states:StopExecution"]
    resources = ["${local.executions_arn}/units:*", "${local.executions_arn}:*"]
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

data "aws_iam_policy_document" "assume_role" {
  for_each = { function = "lambda.amazonaws.com", state_machine = "states.amazonaws.com" }

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = [each.value]
    }
  }
}

# Roles are named once per account, functions once per Region: AWS completes the name.
resource "aws_iam_role" "function" {
  name_prefix          = "${substr(local.name, 0, 37)}-"
  path                 = var.role_path
  description          = "Role of the Lambda function ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_role["function"].json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role" "state_machine" {
  name_prefix          = "${substr(local.name, 0, 37)}-"
  path                 = var.role_path
  description          = "Role of the state machine ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_role["state_machine"].json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "function" {
  name   = "operations"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function.json
}

resource "aws_iam_role_policy" "state_machine" {
  name   = "operations"
  role   = aws_iam_role.state_machine.id
  policy = data.aws_iam_policy_document.state_machine.json
}
