# A global table in two Regions, and in each Region a sync of its own: it reads the replica's stream and writes the
# Region's index. Nothing crosses Regions but DynamoDB's own replication.

resource "aws_dynamodb_table" "products" {
  #checkov:skip=CKV_AWS_119:AWS's own key encrypts; one of yours is needed in each Region (replica.kms_key_arn)

  name                        = "${var.name}-products"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "productId"
  stream_enabled              = true # a global table needs one, with both images
  stream_view_type            = "NEW_AND_OLD_IMAGES"
  deletion_protection_enabled = false # an example must be easy to destroy; leave the protection on for real products

  attribute {
    name = "productId"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  replica {
    region_name            = var.replica_region
    point_in_time_recovery = true
    propagate_tags         = true
  }
}

data "aws_opensearch_domain" "search" {
  domain_name = var.domain_name
}

data "aws_opensearch_domain" "search_replica" {
  provider = aws.replica

  domain_name = coalesce(var.replica_domain_name, var.domain_name)
}

locals {
  replica = one(aws_dynamodb_table.products.replica)
}

module "sync" {
  # In a stack of your own: "git::https://HOST/terraform-aws-dynamodb-opensearch.git?ref=COMMIT"
  source = "../.."

  table  = aws_dynamodb_table.products
  domain = data.aws_opensearch_domain.search
  index  = "products"

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}

module "sync_replica" {
  source    = "../.."
  providers = { aws = aws.replica }

  # Name and keys are the same in all Regions; ARN and stream are the replica's. With a customer managed key, so is the
  # key: server_side_encryption = [{ enabled = true, kms_key_arn = … }], with the key that replica.kms_key_arn names.
  table = {
    name             = aws_dynamodb_table.products.name
    arn              = local.replica.arn
    hash_key         = aws_dynamodb_table.products.hash_key
    attribute        = aws_dynamodb_table.products.attribute
    stream_arn       = local.replica.stream_arn
    stream_view_type = aws_dynamodb_table.products.stream_view_type
  }

  domain = data.aws_opensearch_domain.search_replica
  index  = "products"

  # An example must be easy to destroy, with the dead letters in its queue. Leave this out for a real sync.
  failure_destination_force_destroy = true
}
