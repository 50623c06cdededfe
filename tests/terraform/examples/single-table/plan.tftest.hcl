# The example as the real provider plans it, without AWS.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "one_sync_feeds_three_indices" {
  command = plan

  assert {
    condition = (
      output.table_name == "shop"
      && output.function_name == "shop-opensearch-sync"
      && output.indices == tolist(["customers", "line-items", "orders"])
    )
    error_message = "The sync ${output.function_name} feeds ${jsonencode(output.indices)} from ${output.table_name}."
  }

  assert {
    condition = (
      aws_opensearch_domain.search.domain_name == "shop-search"
      && aws_opensearch_domain.search.encrypt_at_rest[0].enabled
      && aws_opensearch_domain.search.node_to_node_encryption[0].enabled
      && aws_opensearch_domain.search.domain_endpoint_options[0].enforce_https
    )
    error_message = "The domain is planned as ${jsonencode(aws_opensearch_domain.search)}"
  }

  assert {
    condition     = length(module.sync.filters) == 0
    error_message = "A filter hides changes of other attributes: ${jsonencode(module.sync.filters)}."
  }
}

run "refuses_a_name_too_long_for_a_domain" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
