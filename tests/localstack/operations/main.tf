# A sync that is disabled, and its operations: every document in the index was written by a job.

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

variable "name" {
  type        = string
  description = "Start of all names."
}

variable "opensearch_endpoint" {
  type        = string
  description = "URL of OpenSearch."
}

variable "retention" {
  type        = number
  description = "log_retention_in_days of the operations."
  default     = 30
}

variable "team" {
  type        = string
  description = "A tag of everything that the operations create."
  default     = "search"
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
    sfn      = var.aws_endpoint
    sqs      = var.aws_endpoint
    sts      = var.aws_endpoint
  }
}

module "table" {
  source = "../../../modules/table"

  name                        = var.name
  hash_key                    = "pk"
  deletion_protection_enabled = false
}

resource "aws_sqs_queue" "failures" {
  name = "${var.name}-failures"
}

resource "aws_s3_bucket" "reports" {
  bucket        = "${var.name}-reports"
  force_destroy = true
}

module "sync" {
  source = "../../.."

  table               = module.table
  index               = var.name
  enabled             = false
  failure_destination = aws_sqs_queue.failures
  opensearch_auth     = "none"
  opensearch_endpoint = var.opensearch_endpoint
}

module "operations" {
  source = "../../../modules/operations"

  sync                    = module.sync
  indices                 = ["${var.name}-1"]
  log_retention_in_days   = var.retention
  max_concurrency         = 2
  report_bucket           = aws_s3_bucket.reports
  request_timeout_seconds = 5
  state_machine_log_level = "ERROR"
  tags                    = { team = var.team }
  timeout                 = 12
}

output "commands" {
  description = "What starts each job."
  value       = module.operations.commands
}

output "function_name" {
  description = "Name of the operator function."
  value       = module.operations.function_name
}

output "queue_url" {
  description = "URL of the queue of failures."
  value       = aws_sqs_queue.failures.url
}

output "reports" {
  description = "Bucket of reports."
  value       = aws_s3_bucket.reports.bucket
}

output "state_machine_arn" {
  description = "ARN of the state machine."
  value       = module.operations.state_machine_arn
}
