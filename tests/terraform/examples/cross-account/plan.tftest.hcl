# The example as the real provider plans it, without AWS: what it would look up there is given here. All is known while
# planning, so the policies of both accounts are seen as AWS gets them.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "tables"
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_opensearch_domain.search
  values = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

override_data {
  target = data.aws_dynamodb_table.products
  values = {
    name             = "shop-products"
    arn              = "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products"
    stream_arn       = "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products/stream/2025-01-01T00:00:00.000"
    stream_enabled   = true
    stream_view_type = "NEW_AND_OLD_IMAGES"
    hash_key         = "productId"
    range_key        = ""
  }
}

variables {
  domain_name          = "search"
  index                = "products"
  table_name           = "shop-products"
  table_owner_role_arn = "arn:aws:iam::444455556666:role/terraform"
}

run "the_policies_let_the_syncs_role_in_and_no_one_else" {
  command = plan

  assert {
    condition = (
      aws_dynamodb_resource_policy.stream.resource_arn
      == "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products/stream/2025-01-01T00:00:00.000"
      && jsondecode(aws_dynamodb_resource_policy.stream.policy).Statement == [{
        Sid       = "SyncReadsTheStream"
        Effect    = "Allow"
        Action    = ["dynamodb:GetShardIterator", "dynamodb:GetRecords", "dynamodb:DescribeStream"]
        Principal = { AWS = "arn:aws:iam::111122223333:root" }
        Resource  = "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products/stream/2025-01-01T00:00:00.000"
        Condition = {
          ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/shop-products-opensearch-sync" }
        }
      }]
    )
    error_message = "The stream's policy is ${aws_dynamodb_resource_policy.stream.policy}"
  }

  assert {
    condition = jsondecode(aws_dynamodb_resource_policy.table.policy).Statement == [{
      Sid       = "SyncSettlesItems"
      Effect    = "Allow"
      Action    = "dynamodb:BatchGetItem"
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Resource  = "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products"
      Condition = {
        ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/shop-products-opensearch-sync" }
      }
    }]
    error_message = "The table's policy is ${aws_dynamodb_resource_policy.table.policy}"
  }

  # The role that the policies name is the one that is made.
  assert {
    condition     = module.sync.function_name == "shop-products-opensearch-sync"
    error_message = "The function is ${module.sync.function_name}."
  }

  # The policy comes before the event source mapping, without a depends_on, which would hide the module's plan.
  assert {
    condition = (
      module.sync.stream_arn
      == "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products/stream/2025-01-01T00:00:00.000"
    )
    error_message = "The sync reads ${module.sync.stream_arn}."
  }
}

run "operators_read_the_table_and_its_stream" {
  command = plan

  variables {
    operator_role_arns = ["arn:aws:iam::111122223333:role/search-admin"]
  }

  assert {
    condition = jsondecode(aws_dynamodb_resource_policy.table.policy).Statement[1] == {
      Sid       = "OperatorsReadTheTable"
      Effect    = "Allow"
      Action    = ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"]
      Principal = { AWS = "arn:aws:iam::111122223333:root" }
      Resource  = "arn:aws:dynamodb:eu-west-1:444455556666:table/shop-products"
      Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/search-admin" } }
    }
    error_message = "The table's policy is ${aws_dynamodb_resource_policy.table.policy}"
  }

  assert {
    condition = (
      jsondecode(aws_dynamodb_resource_policy.stream.policy).Statement[1].Action
      == ["dynamodb:GetShardIterator", "dynamodb:GetRecords"]
    )
    error_message = "The stream's policy is ${aws_dynamodb_resource_policy.stream.policy}"
  }
}

run "refuses_a_table_whose_name_is_too_long_for_a_role" {
  command = plan

  variables {
    table_name = "a-table-whose-name-has-forty-nine-characters-in-it"
  }

  expect_failures = [var.table_name]
}

run "refuses_an_owner_that_is_no_role" {
  command = plan

  variables {
    table_owner_role_arn = "444455556666"
  }

  expect_failures = [var.table_owner_role_arn]
}
