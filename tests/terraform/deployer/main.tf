# Everything that the modules make, and nothing else: keys, subnets and topics are there already. What Terraform calls
# here is what a deployer's role must allow. It is applied, changed in every way that AWS has a call of its own for, and
# destroyed.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "boundary_arn" {
  type        = string
  description = "ARN of a policy that bounds the roles."
}

variable "changed" {
  type        = bool
  description = "Whether the second form of everything is wanted."
  default     = false
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of a key."
}

variable "role_path" {
  type        = string
  description = "Path of the role whose name is fixed."
  default     = "/"
}

variable "subscriber_arn" {
  type        = string
  description = "ARN of the queue that a topic of failures delivers to."
}

variable "vpc_config" {
  type = object({
    subnet_ids         = list(string)
    security_group_ids = list(string)
  })
  description = "Where functions run."
}

locals {
  tags = var.changed ? { team = "platform" } : { team = "search", stage = "test" }
  domain = {
    arn      = "arn:aws:es:us-east-1:000000000000:domain/search"
    endpoint = "vpc-search-x.us-east-1.es.amazonaws.com"
  }
  retention = var.changed ? 0 : 30
  on_call   = ["arn:aws:sns:us-east-1:000000000000:on-call"]
}

provider "aws" {
  region                  = "us-east-1"
  access_key              = "test"
  secret_key              = "test"
  s3_use_path_style       = true
  max_retries             = 2
  skip_metadata_api_check = true
}

module "table" {
  source = "../../../modules/table"

  name                           = "orders"
  hash_key                       = "pk"
  deletion_protection_enabled    = false
  kms_key_arn                    = var.kms_key_arn
  point_in_time_recovery_enabled = !var.changed
  tags                           = local.tags
  ttl_attribute_name             = "expires"
  ttl_enabled                    = var.changed
}

# Another name replaces it.
module "queue" {
  source = "../../.."

  name_prefix                        = var.changed ? "search-renamed-" : "search-"
  table                              = module.table
  domain                             = local.domain
  index                              = "orders"
  failure_destination_force_destroy  = true
  failure_destination_kms_key_arn    = var.kms_key_arn
  filters                            = [jsonencode({ dynamodb = { Keys = { pk = { S = [{ prefix = "o-" }] } } } })]
  filters_kms_key_arn                = var.kms_key_arn
  kms_key_arn                        = var.kms_key_arn
  log_kms_key_arn                    = var.kms_key_arn
  log_retention_in_days              = local.retention
  metrics                            = ["EventCount"]
  permissions_boundary               = var.boundary_arn
  replace_security_groups_on_destroy = true
  tags                               = local.tags
  tracing_mode                       = "Active"
  vpc_config                         = var.vpc_config
}

# It gets another role.
module "topic" {
  source = "../../.."

  name                             = "search-topic"
  role_name                        = var.changed ? "search-topic" : null
  role_path                        = var.role_path
  table                            = module.table
  domain                           = local.domain
  index                            = "orders"
  batch_size                       = var.changed ? 500 : 1000
  failure_destination_subscription = { protocol = "sqs", endpoint = var.subscriber_arn }
  failure_destination_type         = "sns"
  log_retention_in_days            = local.retention
  memory_size                      = var.changed ? 1024 : 512
  permissions_boundary             = var.changed ? null : var.boundary_arn
  publish                          = true
  reserved_concurrent_executions   = var.changed ? -1 : 1
  tags                             = local.tags
}

# What its index leaves out is too long for the environment.
module "bucket" {
  source = "../../.."

  name_prefix = "search-bucket-"
  table       = module.table
  domain      = local.domain
  indices = {
    orders = { exclude = [for number in range(var.changed ? 71 : 70) : substr(sha512(number), 0, 64)] }
  }
  failure_destination_expiration_days = var.changed ? 30 : 90
  failure_destination_force_destroy   = true
  failure_destination_kms_key_arn     = var.kms_key_arn
  failure_destination_type            = "s3"
  log_retention_in_days               = local.retention
  tags                                = local.tags
}

module "operations" {
  source = "../../../modules/operations"

  name_prefix             = "search-"
  sync                    = module.queue
  log_retention_in_days   = local.retention
  state_machine_log_level = "ERROR"
  tags                    = local.tags
}

module "monitoring" {
  source = "../../../modules/monitoring"

  sync            = module.queue
  page_topic_arns = local.on_call
  warn_topic_arns = local.on_call
  tags            = local.tags
}
