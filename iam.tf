# The function's role. Each statement has one purpose and names exactly the resources it is for; `*` is only used where
# AWS has no narrower resource, with AWS's reason. Nothing is attached to a role that you give: the output `policy` is
# what it needs.
#
# Two rules keep a plan readable. No document refers directly to a resource, only through locals: Terraform reads such a
# document during apply as soon as the resource changes in any way, and shows the whole policy as unknown. And whether a
# statement is there never depends on a value that may be unknown while planning: one such statement would hide all.

locals {
  role_arn  = one(concat(var.role[*].arn, aws_iam_role.this[*].arn))
  role_name = one(concat([for role in var.role[*] : reverse(split("/", role.arn))[0]], aws_iam_role.this[*].name))

  # A table's key is its stream's key too.
  table_kms_key_arns = compact([
    for encryption in coalesce(var.table.server_side_encryption, []) : encryption.kms_key_arn if encryption.enabled
  ])
  signed = var.opensearch_auth == "sigv4"

  deliver = {
    sqs = { actions = ["sqs:SendMessage"], resource = local.failure_destination_arn }
    sns = { actions = ["sns:Publish"], resource = local.failure_destination_arn }
    s3  = { actions = ["s3:PutObject"], resource = "${local.failure_destination_arn}/*" } # an object's key is new
  }[local.failure_destination_type]
  deliver_encrypted = {
    sqs = ["kms:Decrypt", "kms:GenerateDataKey"] # SQS and SNS keep a data key and need both
    sns = ["kms:Decrypt", "kms:GenerateDataKey"]
    s3  = ["kms:GenerateDataKey"]
  }[local.failure_destination_type]

  # arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME gives the ARNs of other resources before they exist. The log group
  # is always in this account.
  log_group_arn = aws_cloudwatch_log_group.this.arn
  home          = split(":", local.log_group_arn)
  account       = local.home[4]
  function_arn  = "arn:${local.home[1]}:lambda:${local.home[3]}:${local.account}:function:${local.name}"

  # The length of this list is known while planning.
  indices_parameter_arns = aws_ssm_parameter.projections[*].arn
}

# The use of customer managed keys. While planning, it may be unknown whether there is one: a table that is created in
# the same apply doesn't say, and a new key's ARN might be null. So these statements have a document of their own.
data "aws_iam_policy_document" "keys" {
  dynamic "statement" {
    for_each = length(local.table_kms_key_arns) > 0 ? [local.table_kms_key_arns] : []
    content {
      sid       = "DecryptTable"
      actions   = ["kms:Decrypt"]
      resources = statement.value
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

  dynamic "statement" {
    for_each = var.failure_destination_kms_key_arn[*]
    content {
      sid       = "EncryptFailures"
      actions   = local.deliver_encrypted
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]
    content {
      sid       = "DecryptEnvironment"
      actions   = ["kms:Decrypt"]
      resources = [statement.value]
    }
  }
}

data "aws_iam_policy_document" "this" {
  source_policy_documents = [data.aws_iam_policy_document.keys.json]

  statement {
    sid       = "ReadStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [var.table.stream_arn]
  }

  # `*`: the action lists all streams of an account in a Region. Lambda requires it to create an event source
  # mapping.
  statement {
    sid       = "FindStream"
    actions   = ["dynamodb:ListStreams"]
    resources = ["*"]
  }

  # To settle: if a record leaves the order of changes open, the item is read.
  statement {
    sid       = "ReadItems"
    actions   = ["dynamodb:BatchGetItem"]
    resources = [var.table.arn]
  }

  # The function sends nothing but POST /INDEX/_bulk.
  dynamic "statement" {
    for_each = local.signed ? var.domain[*].arn : []
    content {
      sid       = "WriteIndex"
      actions   = ["es:ESHttpPost"]
      resources = [for index in local.indices : "${statement.value}/${index}/_bulk"]
    }
  }

  # IAM has only this action for a collection's data; its data access policy decides which index may be written.
  dynamic "statement" {
    for_each = local.signed ? var.collection[*].arn : []
    content {
      sid       = "ReachCollection"
      actions   = ["aoss:APIAccessAll"]
      resources = [statement.value]
    }
  }

  # INDICES that are too long for the environment.
  dynamic "statement" {
    for_each = local.indices_parameter_arns
    content {
      sid       = "ReadProjections"
      actions   = ["ssm:GetParameter"]
      resources = [statement.value]
    }
  }

  dynamic "statement" {
    for_each = var.opensearch_auth == "basic" ? [var.opensearch_secret_arn] : []
    content {
      sid       = "ReadPassword"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [statement.value]
    }
  }

  # Used by the function for dead letters, and by Lambda for failure records.
  statement {
    sid       = "DeliverFailures"
    actions   = local.deliver.actions
    resources = [local.deliver.resource]
  }

  # Lambda checks that the bucket exists before it delivers.
  dynamic "statement" {
    for_each = local.failure_destination_type == "s3" ? [local.failure_destination_arn] : []
    content {
      sid       = "FindFailures"
      actions   = ["s3:ListBucket"]
      resources = [statement.value]
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

  # `*` as above: Lambda may do this for the function, but the function's own code may not.
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
        values   = concat([local.function_arn], var.publish ? ["${local.function_arn}:*"] : [])
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

    # IfExists: AWS doesn't document that Lambda names the account in every call, and a condition on what isn't sent
    # would stop the sync. Another account can't pass this role to a function of its own in any case.
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

# A role's name is unique in its account, a function's in its Region: unless role_name is set, AWS completes the name,
# so that syncs of the same name fit into two Regions.
resource "aws_iam_role" "this" {
  count = var.role == null ? 1 : 0

  name                 = var.role_name
  name_prefix          = var.role_name == null ? "${substr(local.name, 0, 37)}-" : null
  path                 = var.role_path
  description          = "Role of the Lambda function ${local.name}."
  assume_role_policy   = data.aws_iam_policy_document.assume_role.json
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags

  # Another name or path is another role: the function changes to it before the old one goes. Terraform then creates
  # before it destroys whatever the role and its policy refer to, too.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy" "this" {
  count = var.role == null && var.attach_policy ? 1 : 0

  name   = "sync"
  role   = aws_iam_role.this[0].id
  policy = data.aws_iam_policy_document.this.json

  lifecycle {
    create_before_destroy = true
  }
}
