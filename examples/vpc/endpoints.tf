# The function's own calls, and no others: it reads items to settle close calls, and sends dead letters. Reading the
# stream, delivering AWS's own failure records and writing logs is Lambda's part, which it does from its own network.

data "aws_region" "current" {}

data "aws_iam_policy_document" "dynamodb" {
  statement {
    sid       = "SyncReadsItems"
    actions   = ["dynamodb:BatchGetItem"]
    resources = [module.products.arn]

    # A gateway endpoint accepts no other principal; the condition restricts it to the role.
    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:PrincipalArn"
      values   = [module.sync.role_arn]
    }
  }
}

# A gateway endpoint costs nothing.
resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${data.aws_region.current.id}.dynamodb"
  route_table_ids   = [aws_route_table.private.id]
  policy            = data.aws_iam_policy_document.dynamodb.json
  tags              = { Name = "${var.name}-dynamodb" }
}

data "aws_iam_policy_document" "sqs" {
  statement {
    sid       = "SyncSendsDeadLetters"
    actions   = ["sqs:SendMessage"]
    resources = [module.sync.failure_destination_arn]

    principals {
      type        = "AWS"
      identifiers = [module.sync.role_arn]
    }
  }
}

resource "aws_vpc_endpoint" "sqs" {
  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${data.aws_region.current.id}.sqs"
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.this["sqs"].id]
  private_dns_enabled = true
  policy              = data.aws_iam_policy_document.sqs.json
  tags                = { Name = "${var.name}-sqs" }
}
