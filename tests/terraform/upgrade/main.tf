# What releases/*.json are the states of: a table and a sync for each kind of failure destination, all else by default.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

locals {
  syncs = {
    queue  = "sqs"
    topic  = "sns"
    bucket = "s3"
  }
}

module "table" {
  source   = "../../../modules/table"
  for_each = local.syncs

  name     = "upgrade-${each.key}"
  hash_key = "pk"
}

module "sync" {
  source   = "../../.."
  for_each = local.syncs

  table                    = module.table[each.key]
  index                    = each.key
  failure_destination_type = each.value
  failure_destination_subscription = (
    each.value == "sns" ? { protocol = "sqs", endpoint = "arn:aws:sqs:us-east-1:000000000000:letters" } : null
  )
  opensearch_auth     = "none"
  opensearch_endpoint = "http://127.0.0.1:9200"
}
