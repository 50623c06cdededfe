# A table of products, and an index in a private domain: what carries changes over never touches the internet.

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
  domain = aws_opensearch_domain.search
  index  = "products"

  vpc_config = {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.this["function"].id]
  }

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
