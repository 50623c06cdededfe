# What a sync's role may do, rendered by the real provider, which needs no AWS for that. What would need AWS is
# overridden.

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

override_data {
  target = data.aws_dynamodb_table.source
  values = {
    name           = "shop-products"
    arn            = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-products"
    stream_arn     = "arn:aws:dynamodb:eu-west-1:111122223333:table/shop-products/stream/2025-01-01T00:00:00.000"
    stream_enabled = true
    hash_key       = "productId"
    range_key      = ""
  }
}

override_resource {
  target = module.sync["products"].aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-sync" }
}

override_resource {
  target = module.sync["products"].aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync["products"].aws_iam_role_policy.this
}

override_resource {
  target = module.sync["products"].aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync["products"].aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync" }
}

override_resource {
  target = module.sync["products"].aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures" }
}

run "the_role_may_write_its_index_only" {
  variables {
    domain_name = "search"
    indexes     = { products = "shop-products" }
  }

  assert {
    condition = [
      for statement in jsondecode(module.sync["products"].policy).Statement : statement.Resource
      if strcontains(jsonencode(statement.Action), "es:")
    ] == ["arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk"]
    error_message = "The role's policy is ${module.sync["products"].policy}"
  }

  assert {
    condition = (
      output.role_arns == { products = "arn:aws:iam::111122223333:role/products-opensearch-sync-20250101" }
    )
    error_message = "The roles are ${jsonencode(output.role_arns)}"
  }
}
