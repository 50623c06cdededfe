# The guide's example: a table of products, made searchable by an index.

module "products" {
  source = "../../modules/table"

  name     = "${var.name}-products"
  hash_key = "productId"

  # An example must be easy to destroy. Leave the protection on for real products.
  deletion_protection_enabled = false
}

module "sync" {
  source = "../.."

  table  = module.products
  domain = one(aws_opensearch_domain.search)
  index  = "products"

  # On AWS these three are left out.
  opensearch_endpoint   = var.opensearch_endpoint
  opensearch_auth       = var.opensearch_endpoint == null ? var.opensearch_auth : coalesce(var.opensearch_auth, "none")
  opensearch_secret_arn = var.opensearch_secret_arn

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
