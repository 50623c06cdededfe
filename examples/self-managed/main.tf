# An OpenSearch that you run yourself, with a user name, a password and a certificate of your own authority.

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

  table = module.products
  index = "products"

  opensearch_endpoint   = var.opensearch_endpoint
  opensearch_auth       = "basic"
  opensearch_secret_arn = aws_secretsmanager_secret.search.arn

  # A layer's files are below /opt. Without a certificate authority of your own, Python's own list is used.
  layers             = aws_lambda_layer_version.authority[*].arn
  opensearch_ca_file = var.authority_package == null ? null : "/opt/authority.pem"

  vpc_config = var.vpc # null: the function is in no VPC, and reaches OpenSearch over the internet

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
