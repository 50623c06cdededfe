# The operations of a sync, where nothing exists before: table, domain, secret, queue, buckets and keys come with it.
# The sync is an object: it is what the module asks for, whatever the root gives.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "auth" {
  type        = string
  description = "How the sync authenticates: sigv4 or basic."
  default     = "sigv4"
}

variable "existing" {
  type        = bool
  description = "Whether everything that the functions' environments name exists already, and only the keys are new."
  default     = false
}

variable "failures" {
  type        = string
  description = "Where failures are: sqs, s3 or sns; given-sqs or given-s3 for a destination of the operations' own."
  default     = "sqs"
}

variable "region" {
  type        = string
  description = "Region of the sync's table."
  default     = "eu-west-1"
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything that the module creates."
  default     = {}
}

variable "retention" {
  type        = number
  description = "log_retention_in_days of the module."
  default     = 30
}

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

resource "aws_dynamodb_table" "products" {
  name             = "products"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "productId"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "productId"
    type = "S"
  }
}

resource "aws_opensearch_domain" "search" {
  domain_name = "search"
}

resource "aws_secretsmanager_secret" "search" {
  name = "search"
}

resource "aws_ssm_parameter" "indices" {
  name  = "indices"
  type  = "String"
  value = "{}"
}

resource "aws_lambda_layer_version" "transform" {
  layer_name = "transform"
  s3_bucket  = "layers"
  s3_key     = "transform.zip"
}

resource "aws_sqs_queue" "failures" {
  name = "failures"
}

resource "aws_sns_topic" "failures" {
  name = "failures"
}

resource "aws_s3_bucket" "these" {
  for_each = toset(["exports", "failures", "reports"])

  bucket = each.key
}

resource "aws_kms_key" "these" {
  for_each = toset(["environment", "executions", "exports", "failures", "logs", "reports", "secret", "table"])

  description = each.key
}

locals {
  destinations = {
    sqs = var.existing ? "arn:aws:sqs:eu-west-1:111122223333:failures" : aws_sqs_queue.failures.arn
    s3  = var.existing ? "arn:aws:s3:::failures" : aws_s3_bucket.these["failures"].arn
    sns = var.existing ? "arn:aws:sns:eu-west-1:111122223333:failures" : aws_sns_topic.failures.arn
  }
  domain   = "arn:aws:es:eu-west-1:111122223333:domain/search"
  function = "arn:aws:lambda:eu-west-1:111122223333:function:products-sync"
  table    = "arn:aws:dynamodb:${var.region}:111122223333:table/products"
  endpoint = var.existing ? "https://search.example.com" : aws_opensearch_domain.search.endpoint
  indices  = var.existing ? "arn:aws:ssm:eu-west-1:111122223333:parameter/indices" : aws_ssm_parameter.indices.arn
  layer    = "arn:aws:lambda:eu-west-1:111122223333:layer:transform:1"
  layers   = [var.existing ? local.layer : aws_lambda_layer_version.transform.arn]
  exports  = { arn = var.existing ? "arn:aws:s3:::exports" : aws_s3_bucket.these["exports"].arn }
  reports  = { arn = var.existing ? "arn:aws:s3:::reports" : aws_s3_bucket.these["reports"].arn }
  type     = trimprefix(var.failures, "given-")
  given = {
    none = null
    s3   = { arn = aws_s3_bucket.these["failures"].arn, fifo_queue = null, force_destroy = false }
    sqs  = { arn = aws_sqs_queue.failures.arn, fifo_queue = aws_sqs_queue.failures.fifo_queue, force_destroy = null }
  }

  # As the root gives it, before anything exists: only names, kinds and numbers are known.
  sync = {
    domain_arn               = var.existing ? local.domain : aws_opensearch_domain.search.arn
    failure_destination_arn  = local.destinations[startswith(var.failures, "given-") ? "sns" : local.type]
    failure_destination_type = startswith(var.failures, "given-") ? "sns" : local.type
    function_arn             = var.existing ? local.function : "${aws_lambda_layer_version.transform.arn}:1"
    function_name            = "products-sync"
    function_qualified_arn   = var.existing ? "${local.function}:live" : aws_lambda_layer_version.transform.arn
    function_qualifier       = "live"
    indices                  = ["products"]
    settings = {
      architectures = ["arm64"]
      environment_variables = {
        DEAD_LETTER_ARN         = local.destinations.sns
        INDICES                 = local.indices
        OPENSEARCH_AUTH         = var.auth
        OPENSEARCH_ENDPOINT     = local.endpoint
        OPENSEARCH_SERVICE      = "es"
        REQUEST_TIMEOUT_SECONDS = "20"
        SYNC_NAME               = "products-sync"
        TABLE_KEYS              = "productId"
        TABLE_NAME              = "products"
      }
      failure_destination_kms_key_arn = aws_kms_key.these["failures"].arn
      indices_parameter_arns          = [local.indices]
      kms_key_arn                     = aws_kms_key.these["environment"].arn
      layers                          = local.layers
      log_kms_key_arn                 = aws_kms_key.these["logs"].arn
      opensearch_auth                 = var.auth
      opensearch_secret_arn           = aws_secretsmanager_secret.search.arn
      opensearch_secret_kms_key_arn   = aws_kms_key.these["secret"].arn
      opensearch_service              = "es"
      request_timeout_seconds         = 20
      role_path                       = "/"
      runtime                         = "python3.13"
      table = {
        arn          = var.existing || var.region != "eu-west-1" ? local.table : aws_dynamodb_table.products.arn
        kms_key_arns = [aws_kms_key.these["table"].arn]
        name         = "products"
      }
      projected = true
      vpc_config = {
        subnet_ids                  = ["subnet-1"]
        security_group_ids          = ["sg-1"]
        ipv6_allowed_for_dual_stack = false
      }
    }
  }
}

module "operations" {
  source = "../../../modules/operations"

  sync                      = local.sync
  environment_variables     = { AWS_ENDPOINT_URL_DYNAMODB = local.endpoint }
  export_bucket             = local.exports
  export_bucket_kms_key_arn = aws_kms_key.these["exports"].arn
  failure_destination       = local.given[startswith(var.failures, "given-") ? local.type : "none"]
  indices                   = ["products-*"]
  log_retention_in_days     = var.retention
  report_bucket             = local.reports
  report_bucket_kms_key_arn = aws_kms_key.these["reports"].arn
  state_machine_kms_key_arn = aws_kms_key.these["executions"].arn
  state_machine_log_level   = "ERROR"
  tags                      = var.tags
  tracing_mode              = "Active"
}
