# Teams' configurations, each in its own folder, and the module under count, depends_on and moved. They share one plan,
# apply and destroy; test_teams.py looks at each by its module's address. accounts/ is apart: no engine can apply it.

terraform {
  required_version = ">= 1.9.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 7.0.0"
    }
  }
}

variable "release" {
  type        = string
  description = "What the wrapped module depends on."
  default     = "1"
}

variable "retention" {
  type        = number
  description = "For how many days log groups keep their lines."
  default     = 30
}

variable "streaming" {
  type        = bool
  description = "Whether the table that was there before has its stream, and a sync."
  default     = false
}

variable "team" {
  type        = string
  description = "Value of a tag of everything."
  default     = "search"
}

locals {
  tags = { team = var.team }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true
}

# The same account, with tags of everything that the module doesn't know.
provider "aws" {
  alias = "governed"

  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  max_retries                 = 2
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  default_tags {
    tags = { cost-centre = "1234", team = var.team }
  }
}

module "fleet" {
  source    = "./fleet"
  retention = var.retention
  tags      = local.tags
}

module "fresh" {
  source    = "./fresh"
  retention = var.retention
  tags      = local.tags
}

module "later" {
  source    = "./later"
  retention = var.retention
  streaming = var.streaming
  tags      = local.tags
}

module "governed" {
  source    = "./governed"
  retention = var.retention

  providers = {
    aws = aws.governed
  }
}

module "vpc" {
  source    = "./vpc"
  retention = var.retention
  tags      = local.tags
}

module "serverless" {
  source    = "./serverless"
  retention = var.retention
  tags      = local.tags
}

module "selfmanaged" {
  source    = "./selfmanaged"
  retention = var.retention
  tags      = local.tags
}

module "wrapped" {
  source    = "./wrapped"
  release   = var.release
  retention = var.retention
  tags      = local.tags
}

output "names" {
  description = "Table of the fleet -> its function and its queue."
  value       = module.fleet.names
}

output "environments" {
  description = "Sync -> its function's environment. The provider shows none of it in a plan if one value is unknown."
  value = {
    fresh       = module.fresh.environment
    selfmanaged = module.selfmanaged.environment
    serverless  = module.serverless.environment
  }
}
