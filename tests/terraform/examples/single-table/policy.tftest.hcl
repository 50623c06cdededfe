# What the domain lets in, rendered by the real provider, which needs no AWS for that. What would need AWS is
# overridden.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_resource {
  target = module.shop.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/shop-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/shop-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:shop-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:shop-opensearch-sync-failures" }
}

override_resource {
  target = aws_opensearch_domain.search
  values = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/shop-search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

override_resource {
  target = aws_opensearch_domain_policy.search
}

run "the_domain_lets_the_sync_write_its_three_indices" {
  assert {
    condition = jsondecode(aws_opensearch_domain_policy.search.access_policies).Statement == [{
      Sid       = "SyncWritesIndices"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:role/shop-opensearch-sync-20250101" }
      Action    = "es:ESHttpPost"
      Resource = [
        "arn:aws:es:eu-west-1:111122223333:domain/shop-search/orders/_bulk",
        "arn:aws:es:eu-west-1:111122223333:domain/shop-search/line-items/_bulk",
        "arn:aws:es:eu-west-1:111122223333:domain/shop-search/customers/_bulk",
      ]
    }]
    error_message = "The domain's policy is ${aws_opensearch_domain_policy.search.access_policies}"
  }
}
