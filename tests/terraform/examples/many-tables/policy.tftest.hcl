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
  target = module.table["answers"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-answers"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-answers/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync["answers"].aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/site-answers-opensearch-sync" }
}

override_resource {
  target = module.sync["answers"].aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/site-answers-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync["answers"].aws_iam_role_policy.this
}

override_resource {
  target = module.sync["answers"].aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync["answers"].aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:site-answers-opensearch-sync" }
}

override_resource {
  target = module.sync["answers"].aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:site-answers-opensearch-sync-failures" }
}

override_resource {
  target = module.table["articles"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-articles"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-articles/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync["articles"].aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/site-articles-opensearch-sync" }
}

override_resource {
  target = module.sync["articles"].aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/site-articles-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync["articles"].aws_iam_role_policy.this
}

override_resource {
  target = module.sync["articles"].aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync["articles"].aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:site-articles-opensearch-sync" }
}

override_resource {
  target = module.sync["articles"].aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:site-articles-opensearch-sync-failures" }
}

override_resource {
  target = module.table["products"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/site-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync["products"].aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/site-products-opensearch-sync" }
}

override_resource {
  target = module.sync["products"].aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/site-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync["products"].aws_iam_role_policy.this
}

override_resource {
  target = module.sync["products"].aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync["products"].aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:site-products-opensearch-sync" }
}

override_resource {
  target = module.sync["products"].aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:site-products-opensearch-sync-failures" }
}

override_resource {
  target = aws_opensearch_domain.search
  values = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/site-search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

override_resource {
  target = aws_opensearch_domain_policy.search
}

run "the_domain_lets_each_sync_write_its_own_index" {
  assert {
    condition = {
      for statement in jsondecode(aws_opensearch_domain_policy.search.access_policies).Statement :
      statement.Principal.AWS => "${statement.Sid}: ${statement.Action} ${statement.Resource}"
      } == {
      for index in ["answers", "articles", "products"] :
      "arn:aws:iam::111122223333:role/site-${index}-opensearch-sync-20250101" => join("", [
        "SyncWrites${title(index)}: es:ESHttpPost ",
        "arn:aws:es:eu-west-1:111122223333:domain/site-search/${index}/_bulk",
      ])
    }
    error_message = "The domain's policy is ${aws_opensearch_domain_policy.search.access_policies}"
  }
}
