# A table of products, and an index in an OpenSearch Serverless collection that makes it searchable.

module "products" {
  source = "../../modules/table"

  name     = "${var.name}-products"
  hash_key = "productId"

  # An example is there to be destroyed. Leave the protection on where the products are real.
  deletion_protection_enabled = false
}

module "sync" {
  source = "../.."

  table      = module.products
  collection = aws_opensearchserverless_collection.search
  index      = "products"
  vpc_config = var.vpc # null: the function is in no VPC
}
