# The example as the real provider plans it, without AWS, and with a stand-in for the registry's module: see
# tests/terraform/workspace.py. What it would look up on AWS is given here.

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

variables {
  domain_name = "search"
}

run "names_are_known_before_the_table_is" {
  command = plan

  assert {
    condition     = output.function_name == "community-products-opensearch-sync"
    error_message = "The function is ${output.function_name}."
  }

  assert {
    condition = (
      module.sync.index == "products"
      && module.sync.opensearch_endpoint == "https://search-x.eu-west-1.es.amazonaws.com"
    )
    error_message = "The sync writes ${module.sync.index} at ${module.sync.opensearch_endpoint}."
  }
}

run "the_sync_reads_the_modules_stream" {
  override_resource {
    target = module.products.aws_dynamodb_table.this
    values = {
      id         = "community-products"
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/community-products"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/community-products/stream/2025-01-01T00:00:00.000"
    }
  }

  override_resource {
    target = module.sync.aws_cloudwatch_log_group.this
    values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/community-products-opensearch-sync" }
  }

  override_resource {
    target = module.sync.aws_iam_role.this
    values = { arn = "arn:aws:iam::111122223333:role/community-products-opensearch-sync-20250101" }
  }

  override_resource {
    target = module.sync.aws_iam_role_policy.this
  }

  override_resource {
    target = module.sync.aws_lambda_event_source_mapping.this
  }

  override_resource {
    target = module.sync.aws_lambda_function.this
    values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:community-products-opensearch-sync" }
  }

  override_resource {
    target = module.sync.aws_sqs_queue.failures
    values = { arn = "arn:aws:sqs:eu-west-1:111122223333:community-products-opensearch-sync-failures" }
  }

  assert {
    condition = (
      module.sync.stream_arn
      == "arn:aws:dynamodb:eu-west-1:111122223333:table/community-products/stream/2025-01-01T00:00:00.000"
      && output.table_name == "community-products"
      && module.sync.settings.environment_variables["TABLE_KEYS"] == "productId"
    )
    error_message = "The sync reads ${module.sync.stream_arn}."
  }
}
