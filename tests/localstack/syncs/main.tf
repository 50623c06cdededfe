# One table and one sync for each stream view type, with each kind of failure destination.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "aws_endpoint" {
  type        = string
  description = "URL of LocalStack."
}

variable "batch_size" {
  type        = number
  description = "Records per invocation."
  default     = 100
}

variable "name" {
  type        = string
  description = "Start of all names."
}

variable "opensearch_endpoint" {
  type        = string
  description = "URL of OpenSearch."
}

locals {
  syncs = {
    new-and-old-images = { view = "NEW_AND_OLD_IMAGES", failures = "sqs" }
    new-image          = { view = "NEW_IMAGE", failures = "sns" }
    keys-only          = { view = "KEYS_ONLY", failures = "s3" }
    old-image          = { view = "OLD_IMAGE", failures = "sqs" }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    dynamodb = var.aws_endpoint
    iam      = var.aws_endpoint
    lambda   = var.aws_endpoint
    logs     = var.aws_endpoint
    s3       = var.aws_endpoint
    sns      = var.aws_endpoint
    sqs      = var.aws_endpoint
    sts      = var.aws_endpoint
  }
}

module "table" {
  source   = "../../../modules/table"
  for_each = local.syncs

  name                        = "${var.name}-${each.key}"
  hash_key                    = "pk"
  stream_view_type            = each.value.view
  deletion_protection_enabled = false
}

# The topic's subscriber.
resource "aws_sqs_queue" "letters" {
  name = "${var.name}-letters"
}

module "sync" {
  source   = "../../.."
  for_each = local.syncs

  table                    = module.table[each.key]
  index                    = "${var.name}-${each.key}"
  batch_size               = var.batch_size
  failure_destination_type = each.value.failures
  failure_destination_subscription = (
    each.value.failures == "sns" ? { protocol = "sqs", endpoint = aws_sqs_queue.letters.arn } : null
  )
  failure_destination_force_destroy = true
  opensearch_auth                   = "none"
  opensearch_endpoint               = var.opensearch_endpoint
  timeout                           = 60
}

output "failure_destinations" {
  description = "Sync -> ARN of its failure destination."
  value       = { for name, sync in module.sync : name => sync.failure_destination_arn }
}

output "letters_url" {
  description = "URL of the queue that subscribes to the topic."
  value       = aws_sqs_queue.letters.url
}

output "log_groups" {
  description = "Sync -> its log group."
  value       = { for name, sync in module.sync : name => sync.log_group_name }
}
