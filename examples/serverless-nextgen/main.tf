# A table of products, made searchable by an index in a NextGen collection, which costs nothing while it is idle.

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

  table      = module.products
  collection = var.collection # with a provider that can make it: aws_opensearchserverless_collection.search
  index      = "products"

  # The first request after an idle time waits until AWS has started workers: 10 to 30 seconds.
  request_timeout_seconds = 60

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
