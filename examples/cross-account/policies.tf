# In the table's account: who in the search account may do what. A role needs both, its own policy and these.
# The principal is the account, and the condition names the role: so these can be there before the role, and remain true
# if the role is replaced. AWS would turn a role named as principal into its id, which a new role doesn't have.

data "aws_iam_policy_document" "table" {
  statement {
    sid       = "SyncSettlesItems"
    actions   = ["dynamodb:BatchGetItem"]
    resources = [data.aws_dynamodb_table.products.arn]

    principals {
      type        = "AWS"
      identifiers = ["${local.account}:root"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = ["${local.account}:role/${local.role_name}"]
    }
  }

  # For dynamodb-opensearch backfill, verify and repair.
  dynamic "statement" {
    for_each = length(var.operator_role_arns) > 0 ? [var.operator_role_arns] : []
    content {
      sid       = "OperatorsReadTheTable"
      actions   = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:Scan"]
      resources = [data.aws_dynamodb_table.products.arn]

      principals {
        type        = "AWS"
        identifiers = ["${local.account}:root"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = statement.value
      }
    }
  }
}

data "aws_iam_policy_document" "stream" {
  statement {
    sid       = "SyncReadsTheStream"
    actions   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    resources = [data.aws_dynamodb_table.products.stream_arn]

    principals {
      type        = "AWS"
      identifiers = ["${local.account}:root"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = ["${local.account}:role/${local.role_name}"]
    }
  }

  # To redrive AWS's failure records: the command reads the records again.
  dynamic "statement" {
    for_each = length(var.operator_role_arns) > 0 ? [var.operator_role_arns] : []
    content {
      sid       = "OperatorsReadTheStream"
      actions   = ["dynamodb:GetRecords", "dynamodb:GetShardIterator"]
      resources = [data.aws_dynamodb_table.products.stream_arn]

      principals {
        type        = "AWS"
        identifiers = ["${local.account}:root"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:PrincipalArn"
        values   = statement.value
      }
    }
  }
}

resource "aws_dynamodb_resource_policy" "table" {
  provider = aws.tables

  resource_arn = data.aws_dynamodb_table.products.arn
  policy       = data.aws_iam_policy_document.table.json
}

resource "aws_dynamodb_resource_policy" "stream" {
  provider = aws.tables

  resource_arn = data.aws_dynamodb_table.products.stream_arn
  policy       = data.aws_iam_policy_document.stream.json
}
