# The example as the real provider plans it, without AWS.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

run "each_table_has_a_sync_and_an_index_of_its_own" {
  command = plan

  assert {
    condition = output.table_names == {
      answers = "site-answers", articles = "site-articles", products = "site-products"
    }
    error_message = "The tables are ${jsonencode(output.table_names)}."
  }

  assert {
    condition = output.function_names == {
      answers  = "site-answers-opensearch-sync"
      articles = "site-articles-opensearch-sync"
      products = "site-products-opensearch-sync"
    }
    error_message = "The functions are ${jsonencode(output.function_names)}."
  }

  assert {
    condition     = alltrue([for index, sync in module.sync : sync.index == index])
    error_message = "The indices are ${jsonencode({ for index, sync in module.sync : index => sync.index })}."
  }

  assert {
    condition = (
      aws_opensearch_domain.search.domain_name == "site-search"
      && aws_opensearch_domain.search.encrypt_at_rest[0].enabled
      && aws_opensearch_domain.search.node_to_node_encryption[0].enabled
      && aws_opensearch_domain.search.domain_endpoint_options[0].enforce_https
    )
    error_message = "The domain is planned as ${jsonencode(aws_opensearch_domain.search)}"
  }
}

run "refuses_a_name_too_long_for_a_domain" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
