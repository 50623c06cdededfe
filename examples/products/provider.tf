# AWS, or an emulator of it (LocalStack) when aws_endpoint is set.

locals {
  emulated = var.aws_endpoint != null
}

provider "aws" {
  region                      = local.emulated ? coalesce(var.region, "us-east-1") : var.region
  access_key                  = local.emulated ? "test" : null
  secret_key                  = local.emulated ? "test" : null
  skip_credentials_validation = local.emulated
  skip_metadata_api_check     = local.emulated
  skip_requesting_account_id  = local.emulated
  s3_use_path_style           = local.emulated
  # The provider's 25 retries would make an emulator's internal error look like a hang of ten minutes.
  max_retries = local.emulated ? 2 : null

  default_tags {
    tags = { example = "products", name = var.name }
  }

  dynamic "endpoints" {
    for_each = var.aws_endpoint[*]
    content {
      cloudwatch = endpoints.value
      dynamodb   = endpoints.value
      iam        = endpoints.value
      kms        = endpoints.value
      lambda     = endpoints.value
      logs       = endpoints.value
      s3         = endpoints.value
      sns        = endpoints.value
      sqs        = endpoints.value
      sts        = endpoints.value
    }
  }
}
