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
  opensearch_endpoint = "https://search.example.com:9200"
}

run "a_public_authority_and_no_vpc" {
  command = plan

  assert {
    condition = (
      module.sync.opensearch_endpoint == "https://search.example.com:9200"
      && length(aws_lambda_layer_version.authority) == 0
    )
    error_message = "The sync writes to ${module.sync.opensearch_endpoint}."
  }

  assert {
    condition = (
      output.table_name == "self-managed-products" && output.function_name == "self-managed-products-opensearch-sync"
    )
    error_message = "The table is ${output.table_name}, the function ${output.function_name}."
  }
}

run "an_authority_of_its_own_in_a_vpc" {
  command = plan

  variables {
    authority_package = "main.tf" # any file: AWS looks into it, the provider doesn't
    vpc               = { subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
  }

  assert {
    condition = (
      aws_lambda_layer_version.authority[0].filename == "main.tf"
      && aws_lambda_layer_version.authority[0].source_code_hash == filebase64sha256("main.tf")
    )
    error_message = "The layer is planned as ${jsonencode(aws_lambda_layer_version.authority[0])}"
  }
}

run "refuses_plain_http" {
  command = plan

  variables {
    opensearch_endpoint = "http://search.example.com:9200"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_an_endpoint_with_a_password" {
  command = plan

  variables {
    opensearch_endpoint = "https://admin:secret@search.example.com:9200"
  }

  expect_failures = [var.opensearch_endpoint]
}

run "refuses_a_package_that_is_not_there" {
  command = plan

  variables {
    authority_package = "no-such.zip"
  }

  expect_failures = [var.authority_package]
}

run "refuses_a_name_too_long_for_the_others" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
