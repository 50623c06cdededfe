# Adds search to tables and a domain that are there already. They are looked up by name; nothing of theirs is changed.

data "aws_opensearch_domain" "search" {
  domain_name = var.domain_name
}

data "aws_dynamodb_table" "source" {
  for_each = toset(values(var.indexes))

  name = each.key
}

module "sync" {
  # In a stack of your own: "git::https://HOST/terraform-aws-dynamodb-opensearch.git?ref=COMMIT"
  source   = "../.."
  for_each = var.indexes

  name   = "${each.key}-opensearch-sync" # after the index: two may follow one table
  table  = data.aws_dynamodb_table.source[each.value]
  domain = data.aws_opensearch_domain.search
  index  = each.key
}
