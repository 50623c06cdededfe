# The root module: that the shortest call is enough, and that what is given arrives in modules/sync. Its validations are
# tested there: expect_failures does not reach into a child module.

mock_provider "aws" {
  source = "./modules/sync/tests/mocks"
}

# As a data source or a resource gives it: with more attributes than the module asks for.
variables {
  index = "products"
  table = {
    name                   = "products"
    id                     = "products"
    arn                    = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
    stream_arn             = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
    stream_enabled         = true
    stream_view_type       = "NEW_AND_OLD_IMAGES"
    hash_key               = "productId"
    range_key              = ""
    server_side_encryption = [{ enabled = false, kms_key_arn = "" }]
    tags                   = { team = "search" }
  }
  domain = {
    arn         = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint    = "search-x.eu-west-1.es.amazonaws.com"
    domain_name = "search"
  }
}

run "table_domain_and_index_are_enough" {
  assert {
    condition = (
      output.function_name == "products-opensearch-sync"
      && output.opensearch_endpoint == "https://search-x.eu-west-1.es.amazonaws.com"
      && output.failure_destination_arn == "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
      && output.failure_destination_url == "https://sqs.eu-west-1.amazonaws.com/111122223333/products-opensearch-sync-failures"
      && output.role_arn == "arn:aws:iam::111122223333:role/products-opensearch-sync-20250101"
      && output.function_arn == "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync"
      && output.log_group_name == "/aws/lambda/products-opensearch-sync"
      && output.event_source_mapping_uuid != null
      && output.index == "products"
    )
    error_message = "The outputs are ${jsonencode({ function = output.function_name, endpoint = output.opensearch_endpoint, failures = output.failure_destination_url })}"
  }
}

run "what_is_given_arrives" {
  variables {
    name                     = "search-sync"
    domain                   = null
    opensearch_endpoint      = "http://127.0.0.1:9200"
    opensearch_auth          = "none"
    failure_destination_type = "sns"
  }

  assert {
    condition = (
      output.function_name == "search-sync"
      && output.opensearch_endpoint == "http://127.0.0.1:9200"
      && output.failure_destination_url == null
      && output.failure_destination_arn == "arn:aws:sns:eu-west-1:111122223333:products-opensearch-sync-failures"
    )
    error_message = "The outputs are ${jsonencode({ function = output.function_name, endpoint = output.opensearch_endpoint, failures = output.failure_destination_arn })}"
  }
}
