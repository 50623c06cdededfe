# A role that another team makes by its own rules: here it is in role.tf, with a boundary and a path. The module
# attaches nothing to it, and says in its output `policy` what it needs.

data "aws_opensearch_domain" "search" {
  domain_name = var.domain_name
}

module "products" {
  source = "../../modules/table"

  name     = "${var.name}-products"
  hash_key = "productId"

  # An example must be easy to destroy. Leave the protection on for real products.
  deletion_protection_enabled = false
}

module "sync" {
  # In a stack of your own: "git::https://HOST/terraform-aws-dynamodb-opensearch.git?ref=COMMIT"
  source = "../.."

  table  = module.products
  domain = data.aws_opensearch_domain.search
  index  = "products"
  role   = aws_iam_role.search

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
