# The example as the real provider plans it, without AWS: what it would look up there is given here.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "replica"
  region                      = "eu-central-1"
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
  target = data.aws_opensearch_domain.search_replica
  values = {
    arn      = "arn:aws:es:eu-central-1:111122223333:domain/search"
    endpoint = "search-x.eu-central-1.es.amazonaws.com"
  }
}

variables {
  region         = "eu-west-1"
  replica_region = "eu-central-1"
  domain_name    = "search"
}

run "each_region_has_a_sync_that_writes_its_own_index" {
  command = plan

  assert {
    condition = (
      module.sync.opensearch_endpoint == "https://search-x.eu-west-1.es.amazonaws.com"
      && module.sync_replica.opensearch_endpoint == "https://search-x.eu-central-1.es.amazonaws.com"
      && module.sync.function_name == "global-products-opensearch-sync"
      && module.sync_replica.function_name == "global-products-opensearch-sync"
    )
    error_message = "The syncs write to ${module.sync.opensearch_endpoint}, ${module.sync_replica.opensearch_endpoint}."
  }

  assert {
    condition = (
      [for replica in aws_dynamodb_table.products.replica : replica.region_name] == ["eu-central-1"]
      && aws_dynamodb_table.products.stream_view_type == "NEW_AND_OLD_IMAGES"
    )
    error_message = "The table is planned as ${jsonencode(aws_dynamodb_table.products)}"
  }
}

run "refuses_one_region_twice" {
  command = plan

  variables {
    replica_region = "eu-west-1"
  }

  expect_failures = [var.replica_region]
}

run "refuses_a_zone_as_region" {
  command = plan

  variables {
    region = "eu-west-1a"
  }

  expect_failures = [var.region]
}
