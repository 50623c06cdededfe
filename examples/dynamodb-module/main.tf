# A table made by the community's module, which has outputs instead of a table as a whole: the sync gets an object.

locals {
  table = {
    name     = "${var.name}-products"
    hash_key = "productId"
    attribute = [
      { name = "productId", type = "S" },
    ]
  }
}

data "aws_opensearch_domain" "search" {
  domain_name = var.domain_name
}

module "products" {
  #checkov:skip=CKV_TF_1:the registry knows versions, not commits; this one is exact

  source  = "terraform-aws-modules/dynamodb-table/aws"
  version = "5.5.0"

  name                           = local.table.name
  hash_key                       = local.table.hash_key
  attributes                     = local.table.attribute
  stream_enabled                 = true
  stream_view_type               = "NEW_AND_OLD_IMAGES"
  point_in_time_recovery_enabled = true

  # An example must be easy to destroy. Leave the protection on for real products.
  deletion_protection_enabled = false
}

module "sync" {
  # In a stack of your own: "git::https://HOST/terraform-aws-dynamodb-opensearch.git?ref=COMMIT"
  source = "../.."

  # Names and keys from here, so that the first plan shows them; only the ARNs are known after the apply.
  table = merge(local.table, {
    arn              = module.products.dynamodb_table_arn
    stream_arn       = module.products.dynamodb_table_stream_arn
    stream_view_type = "NEW_AND_OLD_IMAGES"
  })

  domain = data.aws_opensearch_domain.search
  index  = "products"

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
