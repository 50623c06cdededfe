# docs/guides/adopt.md: a table whose stream is read by an event source mapping that was made elsewhere, and a sync that
# takes it over.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "memory_size" {
  type        = number
  description = "Memory of the function, for a change after the adoption."
  default     = 512
}

variable "starting_position" {
  type        = string
  description = "Where the event source mapping that is there started."
}

variable "table" {
  type        = string
  description = "Name of the table."
}

variable "uuid" {
  type        = string
  description = "UUID of the event source mapping."
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

data "aws_dynamodb_table" "this" {
  name = var.table
}

import {
  to = module.search.aws_lambda_event_source_mapping.this
  id = var.uuid
}

module "search" {
  source = "../../.."

  table = data.aws_dynamodb_table.this
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "search-x.us-east-1.es.amazonaws.com"
  }
  index                             = "adopted"
  failure_destination_force_destroy = true
  memory_size                       = var.memory_size
  starting_position                 = var.starting_position
}

output "function_arn" {
  description = "ARN of the sync's function."
  value       = module.search.function_arn
}
