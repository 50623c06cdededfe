# A table of products, made searchable by an index in an OpenSearch Serverless collection.

module "products" {
  source = "../../modules/table"

  name     = "${var.name}-products"
  hash_key = "productId"

  # An example must be easy to destroy. Leave the protection on for real products.
  deletion_protection_enabled = false
}

module "sync" {
  source = "../.."

  table      = module.products
  collection = aws_opensearchserverless_collection.search
  index      = "products"
  vpc_config = var.vpc # null: the function is in no VPC

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
