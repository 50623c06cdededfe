# A search team that follows another team's table, in another account: an object with its names and ARNs. The resource
# policies of table and stream, which let the function's role in, are the other account's. Planned only: LocalStack
# looks for the stream in the function's account.

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
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

module "search" {
  source = "../../../.."

  table = {
    name       = "teams-accounts"
    arn        = "arn:aws:dynamodb:us-east-1:444455556666:table/teams-accounts"
    stream_arn = "arn:aws:dynamodb:us-east-1:444455556666:table/teams-accounts/stream/2025-01-01T00:00:00.000"
    hash_key   = "pk"
  }
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "accounts"
  failure_destination_force_destroy = true
}

output "environment" {
  description = "Environment of the function."
  value       = module.search.settings.environment_variables
}
