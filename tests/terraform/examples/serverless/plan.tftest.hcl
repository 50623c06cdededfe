# The example as the real provider plans it, without AWS.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  administrator_arns = ["arn:aws:iam::111122223333:role/admin"]
}

run "on_aws" {
  command = plan

  assert {
    condition = (
      aws_opensearchserverless_collection.search.name == "serverless-search"
      && aws_opensearchserverless_collection.search.type == "SEARCH"
      && aws_opensearchserverless_collection.search.standby_replicas == "DISABLED"
    )
    error_message = "The collection is planned as ${jsonencode(aws_opensearchserverless_collection.search)}"
  }

  assert {
    condition = jsondecode(aws_opensearchserverless_security_policy.encryption.policy) == {
      Rules       = [{ ResourceType = "collection", Resource = ["collection/serverless-search"] }]
      AWSOwnedKey = true
    }
    error_message = "The encryption policy is ${aws_opensearchserverless_security_policy.encryption.policy}"
  }

  assert {
    condition = jsondecode(aws_opensearchserverless_security_policy.network.policy) == [{
      Rules           = [{ ResourceType = "collection", Resource = ["collection/serverless-search"] }]
      AllowFromPublic = true
    }]
    error_message = "The network policy is ${aws_opensearchserverless_security_policy.network.policy}"
  }

  assert {
    condition     = length(aws_opensearchserverless_vpc_endpoint.search) == 0
    error_message = "An endpoint is planned without a VPC."
  }

  assert {
    condition = (
      output.table_name == "serverless-products" && output.function_name == "serverless-products-opensearch-sync"
    )
    error_message = "The table is ${output.table_name}, the function ${output.function_name}."
  }
}

run "from_a_vpc_only" {
  command = plan

  variables {
    vpc = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition = (
      aws_opensearchserverless_vpc_endpoint.search[0].vpc_id == "vpc-1"
      && aws_opensearchserverless_vpc_endpoint.search[0].subnet_ids == toset(["subnet-1", "subnet-2"])
      && aws_opensearchserverless_vpc_endpoint.search[0].security_group_ids == toset(["sg-1"])
    )
    error_message = "The endpoint is planned as ${jsonencode(aws_opensearchserverless_vpc_endpoint.search)}"
  }
}

run "refuses_to_have_no_administrator" {
  command = plan

  variables {
    administrator_arns = []
  }

  expect_failures = [var.administrator_arns]
}

run "refuses_an_administrator_that_is_no_role_or_user" {
  command = plan

  variables {
    administrator_arns = ["admin"]
  }

  expect_failures = [var.administrator_arns]
}

run "refuses_a_name_too_long_for_a_collection" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
