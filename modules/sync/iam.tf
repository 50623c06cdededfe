# The function's role. Each statement has one purpose, and names exactly what it is for; a `*` stands only where AWS knows no
# narrower resource, with AWS's reason. A role that is given gets nothing from here: the output `policy` is what it needs.

locals {
  role_arn = one(concat(var.role[*].arn, aws_iam_role.this[*].arn))

  # The key of the table is the key of its stream too.
  table_kms_key_arns = compact([
    for encryption in coalesce(var.table.server_side_encryption, []) : encryption.kms_key_arn if encryption.enabled
  ])
  signed = var.opensearch_auth == "sigv4"

  deliver = {
    sqs = { actions = ["sqs:SendMessage"], resource = local.failure_destination_arn }
    sns = { actions = ["sns:Publish"], resource = local.failure_destination_arn }
    s3  = { actions = ["s3:PutObject"], resource = "${local.failure_destination_arn}/*" } # the keys of its objects are made up as they come
  }[local.failure_destination_type]
  deliver_encrypted = {
    sqs = ["kms:Decrypt", "kms:GenerateDataKey"] # SQS and SNS keep a data key, and ask for both
    sns = ["kms:Decrypt", "kms:GenerateDataKey"]
    s3  = ["kms:GenerateDataKey"]
  }[local.failure_destination_type]

  # arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME says where the function will be, before it is there.
  home         = split(":", aws_cloudwatch_log_group.this.arn)
  function_arn = "arn:${local.home[1]}:lambda:${local.home[3]}:${local.home[4]}:function:${local.name}"
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "ReadStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [var.table.stream_arn]
  }

  # `*`: the action lists all streams of an account in a Region. Lambda asks for it when a mapping is made.
  statement {
    sid       = "FindStream"
    actions   = ["dynamodb:ListStreams"]
    resources = ["*"]
  }

  # For settling: what a record can't tell for sure is read from the table.
  statement {
    sid       = "ReadItems"
    actions   = ["dynamodb:BatchGetItem"]
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

  # The function sends nothing but POST /INDEX/_bulk.
  dynamic "statement" {
    for_each = local.signed ? var.domain[*].arn : []
    content {
      sid       = "WriteIndex"
      actions   = ["es:ESHttpPost"]
      resources = ["${statement.value}/${var.index}/_bulk"]
    }
  }

  # The one action that IAM has for a collection's data; which index may be written is up to its data access policy.
  dynamic "statement" {
    for_each = local.signed ? var.collection[*].arn : []
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

  # Used by the function for its dead letters, and by Lambda for its own records.
  statement {
    sid       = "DeliverFailures"
    actions   = local.deliver.actions
    resources = [local.deliver.resource]
  }

  # Lambda looks whether the bucket is there before it delivers.
  dynamic "statement" {
    for_each = local.failure_destination_type == "s3" ? [local.failure_destination_arn] : []
    content {
      sid       = "FindFailures"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.failure_destination_kms_key_arn[*]
    content {
      sid       = "EncryptFailures"
      actions   = local.deliver_encrypted
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
        values   = [local.function_arn]
      }
    }
  }
}

data "aws_iam_policy_document" "assume_role" {
  statement {
    sid     = "LambdaRunsTheFunction"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

# Roles are named once per account, functions once per Region: unless role_name says otherwise AWS completes the name, so that
# syncs of the same name fit into two Regions.
resource "aws_iam_role" "this" {
  count = var.role == null ? 1 : 0

  name                 = var.role_name
  name_prefix          = var.role_name == null ? "${substr(local.name, 0, 37)}-" : null
  path                 = var.role_path
  description          = "Role of the Lambda function ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  count = var.role == null ? 1 : 0

  name   = "sync"
  role   = aws_iam_role.this[0].id
  policy = data.aws_iam_policy_document.this.json
}
