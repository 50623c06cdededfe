# The example as the real provider plans it, without AWS: what it would look up there is given here.

provider "aws" {
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

# The same table, whatever its name.
override_data {
  target = data.aws_dynamodb_table.source
  values = {
    name             = "shop-products"
    arn              = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-products"
    stream_arn       = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-products/stream/2025-01-01T00:00:00.000"
    stream_enabled   = true
    stream_view_type = "NEW_AND_OLD_IMAGES"
    hash_key         = "productId"
    range_key        = ""
  }
}

variables {
  domain_name = "search"
  indexes     = { products = "shop-products", offers = "shop-products" }
}

run "two_indexes_follow_one_table" {
  command = plan

  assert {
    condition = (
      output.function_names == { products = "products-opensearch-sync", offers = "offers-opensearch-sync" }
    )
    error_message = "The functions are ${jsonencode(output.function_names)}."
  }

  assert {
    condition     = keys(data.aws_dynamodb_table.source) == ["shop-products"]
    error_message = "The tables ${jsonencode(keys(data.aws_dynamodb_table.source))} are looked up."
  }

  assert {
    condition = alltrue([
      for index, sync in module.sync :
      sync.index == index && sync.opensearch_endpoint == "https://search-x.eu-west-1.es.amazonaws.com"
    ])
    error_message = join(" ", [
      "The syncs write to ${jsonencode({ for index, sync in module.sync : index => sync.opensearch_endpoint })}.",
    ])
  }
}

run "refuses_a_domain_that_is_no_name" {
  command = plan

  variables {
    domain_name = "https://search-x.eu-west-1.es.amazonaws.com"
  }

  expect_failures = [var.domain_name]
}

run "refuses_no_index_at_all" {
  command = plan

  variables {
    indexes = {}
  }

  expect_failures = [var.indexes]
}

run "refuses_a_third_reader_of_a_stream" {
  command = plan

  variables {
    indexes = { products = "shop-products", offers = "shop-products", archive = "shop-products" }
  }

  expect_failures = [var.indexes]
}
