# One run with every variable at a good value that is not its default, then one broken value per run: each validation is
# seen to refuse, and nothing else refuses with it.

mock_provider "aws" {}

variables {
  name     = "products"
  hash_key = "productId"
}

run "everything_good" {
  command = plan

  variables {
    billing_mode                = "PROVISIONED"
    deletion_protection_enabled = false
    hash_key_type               = "N"
    kms_key_arn                 = "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd"
    range_key                   = "variant"
    range_key_type              = "B"
    read_capacity               = 5
    recovery_period_in_days     = 1
    stream_view_type            = "KEYS_ONLY"
    table_class                 = "STANDARD_INFREQUENT_ACCESS"
    tags                        = { team = "search" }
    ttl_attribute_name          = "expiresAt"
    ttl_enabled                 = false
    write_capacity              = 5
  }

  assert {
    condition = (
      aws_dynamodb_table.this.ttl[0].enabled == false && aws_dynamodb_table.this.ttl[0].attribute_name == "expiresAt"
    )
    error_message = join(" ", [
      "TTL is planned as ${jsonencode(aws_dynamodb_table.this.ttl)}: AWS wants the attribute's name to switch it off.",
    ])
  }
}

run "refuses_a_hash_key_that_is_empty" {
  command = plan

  variables {
    hash_key = ""
  }

  expect_failures = [var.hash_key]
}

run "refuses_a_name_of_two_characters" {
  command = plan

  variables {
    name = "ab"
  }

  expect_failures = [var.name]
}

run "refuses_a_name_with_a_space" {
  command = plan

  variables {
    name = "my products"
  }

  expect_failures = [var.name]
}

run "refuses_an_unknown_billing_mode" {
  command = plan

  variables {
    billing_mode = "ON_DEMAND"
  }

  expect_failures = [var.billing_mode]
}

run "refuses_an_unknown_hash_key_type" {
  command = plan

  variables {
    hash_key_type = "String"
  }

  expect_failures = [var.hash_key_type]
}

run "refuses_a_kms_alias" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:alias/mine"
  }

  expect_failures = [var.kms_key_arn]
}

run "refuses_a_range_key_that_is_the_hash_key" {
  command = plan

  variables {
    range_key = "productId"
  }

  expect_failures = [var.range_key]
}

run "refuses_a_range_key_that_is_empty" {
  command = plan

  variables {
    range_key = ""
  }

  expect_failures = [var.range_key]
}

run "refuses_an_unknown_range_key_type" {
  command = plan

  variables {
    range_key_type = "SS"
  }

  expect_failures = [var.range_key_type]
}

run "refuses_read_capacity_on_demand" {
  command = plan

  variables {
    read_capacity = 5
  }

  expect_failures = [var.read_capacity]
}

run "refuses_no_read_capacity_when_provisioned" {
  command = plan

  variables {
    billing_mode   = "PROVISIONED"
    write_capacity = 5
  }

  expect_failures = [var.read_capacity]
}

run "refuses_a_recovery_period_of_36_days" {
  command = plan

  variables {
    recovery_period_in_days = 36
  }

  expect_failures = [var.recovery_period_in_days]
}

run "refuses_a_recovery_period_without_recovery" {
  command = plan

  variables {
    recovery_period_in_days        = 7
    point_in_time_recovery_enabled = false
  }

  expect_failures = [var.recovery_period_in_days]
}

run "refuses_an_unknown_stream_view_type" {
  command = plan

  variables {
    stream_view_type = "ALL"
  }

  expect_failures = [var.stream_view_type]
}

run "refuses_an_unknown_table_class" {
  command = plan

  variables {
    table_class = "GLACIER"
  }

  expect_failures = [var.table_class]
}

run "refuses_a_ttl_attribute_that_is_empty" {
  command = plan

  variables {
    ttl_attribute_name = ""
  }

  expect_failures = [var.ttl_attribute_name]
}

run "refuses_write_capacity_on_demand" {
  command = plan

  variables {
    write_capacity = 5
  }

  expect_failures = [var.write_capacity]
}

run "refuses_half_a_write_capacity" {
  command = plan

  variables {
    billing_mode   = "PROVISIONED"
    read_capacity  = 5
    write_capacity = 0.5
  }

  expect_failures = [var.write_capacity]
}
