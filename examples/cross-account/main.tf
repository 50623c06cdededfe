# A table in one account, made searchable in another: the sync and the domain are here, the table stays where it is.

data "aws_opensearch_domain" "search" {
  domain_name = var.domain_name
}

data "aws_dynamodb_table" "products" {
  provider = aws.tables

  name = var.table_name
}

locals {
  # The role's ARN before the role exists: a fixed name, in the domain's partition and account.
  domain    = split(":", data.aws_opensearch_domain.search.arn)
  account   = "arn:${local.domain[1]}:iam::${local.domain[4]}"
  role_name = "${var.table_name}-opensearch-sync"
}

module "sync" {
  # In a stack of your own: "git::https://HOST/terraform-aws-dynamodb-opensearch.git?ref=COMMIT"
  source = "../.."

  # The stream's ARN by way of its policy: Lambda only creates the event source mapping if the role may read the stream.
  table = merge(data.aws_dynamodb_table.products, { stream_arn = aws_dynamodb_resource_policy.stream.resource_arn })

  domain    = data.aws_opensearch_domain.search
  index     = var.index
  role_name = local.role_name
}
