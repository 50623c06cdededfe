# Every argument as the real provider plans it: it checks them against its schema, which a mock does not do in full.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name     = "products"
  hash_key = "productId"
}

run "defaults" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_table.this.name == "products"
      && aws_dynamodb_table.this.hash_key == "productId"
      && aws_dynamodb_table.this.range_key == null
      && aws_dynamodb_table.this.attribute == toset([{ name = "productId", type = "S" }])
      && aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
      && aws_dynamodb_table.this.stream_enabled == true
      && aws_dynamodb_table.this.stream_view_type == "NEW_AND_OLD_IMAGES"
      && aws_dynamodb_table.this.deletion_protection_enabled == true
      && aws_dynamodb_table.this.point_in_time_recovery[0].enabled == true
      && aws_dynamodb_table.this.server_side_encryption[0].enabled == false
    )
    error_message = "The table is planned as ${jsonencode(aws_dynamodb_table.this)}"
  }
}

run "everything_set" {
  command = plan

  variables {
    billing_mode                = "PROVISIONED"
    deletion_protection_enabled = false
    hash_key_type               = "N"
    kms_key_arn                 = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd"
    range_key                   = "variant"
    range_key_type              = "B"
    read_capacity               = 5
    recovery_period_in_days     = 7
    table_class                 = "STANDARD_INFREQUENT_ACCESS"
    tags                        = { team = "search" }
    ttl_attribute_name          = "expiresAt"
    write_capacity              = 6
  }

  assert {
    condition = (
      aws_dynamodb_table.this.range_key == "variant"
      && { for key in aws_dynamodb_table.this.attribute : key.name => key.type } == { productId = "N", variant = "B" }
      && aws_dynamodb_table.this.billing_mode == "PROVISIONED"
      && aws_dynamodb_table.this.read_capacity == 5
      && aws_dynamodb_table.this.write_capacity == 6
      && aws_dynamodb_table.this.table_class == "STANDARD_INFREQUENT_ACCESS"
      && aws_dynamodb_table.this.deletion_protection_enabled == false
      && aws_dynamodb_table.this.point_in_time_recovery[0].enabled == true
      && aws_dynamodb_table.this.point_in_time_recovery[0].recovery_period_in_days == 7
      && aws_dynamodb_table.this.server_side_encryption[0].enabled == true
      && aws_dynamodb_table.this.server_side_encryption[0].kms_key_arn == var.kms_key_arn
      && aws_dynamodb_table.this.ttl[0].enabled == true
      && aws_dynamodb_table.this.ttl[0].attribute_name == "expiresAt"
      && aws_dynamodb_table.this.tags == tomap({ team = "search" })
    )
    error_message = "The table is planned as ${jsonencode(aws_dynamodb_table.this)}"
  }
}

run "new_image" {
  command = plan

  variables {
    stream_view_type = "NEW_IMAGE"
  }

  assert {
    condition = (
      aws_dynamodb_table.this.stream_enabled == true && aws_dynamodb_table.this.stream_view_type == "NEW_IMAGE"
    )
    error_message = "The stream is planned as ${aws_dynamodb_table.this.stream_view_type}."
  }
}

run "old_image" {
  command = plan

  variables {
    stream_view_type = "OLD_IMAGE"
  }

  assert {
    condition = (
      aws_dynamodb_table.this.stream_enabled == true && aws_dynamodb_table.this.stream_view_type == "OLD_IMAGE"
    )
    error_message = "The stream is planned as ${aws_dynamodb_table.this.stream_view_type}."
  }
}

run "keys_only" {
  command = plan

  variables {
    stream_view_type = "KEYS_ONLY"
  }

  assert {
    condition = (
      aws_dynamodb_table.this.stream_enabled == true && aws_dynamodb_table.this.stream_view_type == "KEYS_ONLY"
    )
    error_message = "The stream is planned as ${aws_dynamodb_table.this.stream_view_type}."
  }
}

run "without_recovery" {
  command = plan

  variables {
    point_in_time_recovery_enabled = false
  }

  assert {
    condition     = aws_dynamodb_table.this.point_in_time_recovery[0].enabled == false
    error_message = "Point-in-time recovery is planned as ${jsonencode(aws_dynamodb_table.this.point_in_time_recovery)}"
  }
}
