# The example as the real provider plans it, without AWS: on AWS, and on an emulator.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "on_aws" {
  command = plan

  assert {
    condition = (
      aws_opensearch_domain.search[0].domain_name == "demo-search"
      && aws_opensearch_domain.search[0].encrypt_at_rest[0].enabled
      && aws_opensearch_domain.search[0].node_to_node_encryption[0].enabled
      && aws_opensearch_domain.search[0].domain_endpoint_options[0].enforce_https
      && aws_opensearch_domain.search[0].domain_endpoint_options[0].tls_security_policy == (
        "Policy-Min-TLS-1-2-PFS-2023-10"
      )
      && one(aws_opensearch_domain.search[0].cluster_config).instance_type == "t3.small.search"
      && one(aws_opensearch_domain.search[0].cluster_config).instance_count == 1
      && one(aws_opensearch_domain.search[0].ebs_options).volume_type == "gp3"
    )
    error_message = "The domain is planned as ${jsonencode(aws_opensearch_domain.search[0])}"
  }

  assert {
    condition     = length(aws_opensearch_domain_policy.search) == 1
    error_message = "The domain lets the sync's role in nowhere."
  }

  assert {
    condition     = output.table_name == "demo-products" && output.index == "products"
    error_message = "The table is ${output.table_name}, the index ${output.index}."
  }
}

run "on_an_emulator" {
  command = plan

  variables {
    aws_endpoint        = "http://127.0.0.1:4566"
    opensearch_endpoint = "http://127.0.0.1:9200"
    name                = "lab"
  }

  assert {
    condition     = length(aws_opensearch_domain.search) == 0 && length(aws_opensearch_domain_policy.search) == 0
    error_message = "A domain is planned, although an endpoint is given."
  }

  assert {
    condition = (
      output.opensearch_endpoint == "http://127.0.0.1:9200" && output.function_name == "lab-products-opensearch-sync"
    )
    error_message = "The sync is planned to write to ${output.opensearch_endpoint}."
  }
}

run "refuses_an_emulator_without_opensearch" {
  command = plan

  variables {
    aws_endpoint = "http://127.0.0.1:4566"
  }

  expect_failures = [var.aws_endpoint]
}

run "refuses_an_aws_endpoint_that_is_no_url" {
  command = plan

  variables {
    aws_endpoint        = "127.0.0.1:4566"
    opensearch_endpoint = "http://127.0.0.1:9200"
  }

  expect_failures = [var.aws_endpoint]
}

run "refuses_a_name_too_long_for_a_domain" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
