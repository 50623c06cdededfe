# Which stream and which table each Region's sync may read, rendered by the real provider, which needs no AWS for that.
# What would need AWS is overridden.

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

override_resource {
  target = aws_dynamodb_table.products
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/global-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/global-products/stream/2025-01-01T00:00:00.000"
    replica = {
      arn        = "arn:aws:dynamodb:eu-central-1:111122223333:table/global-products"
      stream_arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/global-products/stream/2025-01-01T00:00:01.000"
    }
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/global-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/global-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:global-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:global-products-opensearch-sync-failures" }
}

override_resource {
  target = module.sync_replica.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/global-products-opensearch-sync" }
}

override_resource {
  target = module.sync_replica.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/global-products-opensearch-sync-20250102" }
}

override_resource {
  target = module.sync_replica.aws_iam_role_policy.this
}

override_resource {
  target = module.sync_replica.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync_replica.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-central-1:111122223333:function:global-products-opensearch-sync" }
}

override_resource {
  target = module.sync_replica.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-central-1:111122223333:global-products-opensearch-sync-failures" }
}

variables {
  region         = "eu-west-1"
  replica_region = "eu-central-1"
  domain_name    = "search"
}

run "each_sync_reads_its_own_regions_stream_and_table" {
  assert {
    condition = output.stream_arns == {
      eu-west-1    = "arn:aws:dynamodb:eu-west-1:111122223333:table/global-products/stream/2025-01-01T00:00:00.000"
      eu-central-1 = "arn:aws:dynamodb:eu-central-1:111122223333:table/global-products/stream/2025-01-01T00:00:01.000"
    }
    error_message = "The syncs read ${jsonencode(output.stream_arns)}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.sync_replica.policy).Statement : statement.Resource
      if contains(["ReadStream", "ReadItems", "WriteIndex"], statement.Sid)
      ] == [
      "arn:aws:dynamodb:eu-central-1:111122223333:table/global-products/stream/2025-01-01T00:00:01.000",
      "arn:aws:dynamodb:eu-central-1:111122223333:table/global-products",
      "arn:aws:es:eu-central-1:111122223333:domain/search/products/_bulk",
    ]
    error_message = "The policy in the other Region is ${module.sync_replica.policy}"
  }

  # A table in this account is known by its name, in its own Region.
  assert {
    condition = [
      for sync in [module.sync, module.sync_replica] : sync.settings.environment_variables["TABLE_NAME"]
    ] == ["global-products", "global-products"]
    error_message = "A table is named by its ARN."
  }
}
