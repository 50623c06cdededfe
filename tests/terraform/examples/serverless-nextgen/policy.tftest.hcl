# Who may do what, rendered by the real provider, which needs no AWS for that. What would need AWS is overridden.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_resource {
  target = module.products.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/nextgen-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/nextgen-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/nextgen-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/nextgen-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:nextgen-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:nextgen-products-opensearch-sync-failures" }
}

override_resource {
  target = aws_opensearchserverless_access_policy.search
}

override_resource {
  target = aws_opensearchserverless_security_policy.network
}

variables {
  administrator_arns = ["arn:aws:iam::111122223333:role/admin"]
  collection = {
    name                = "nextgen-search"
    arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/1tg2xudton46knx2a95g"
    collection_endpoint = "https://1tg2xudton46knx2a95g.aoss.eu-west-1.on.aws"
  }
}

run "the_sync_writes_documents_of_its_index_and_no_more" {
  assert {
    condition = jsondecode(aws_opensearchserverless_access_policy.search.policy)[0] == {
      Description = "The sync writes its index, by POST /products/_bulk, and no more."
      Principal   = ["arn:aws:iam::111122223333:role/nextgen-products-opensearch-sync-20250101"]
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/nextgen-search/products"]
        Permission   = ["aoss:WriteDocument"]
      }]
    }
    error_message = "The data access policy is ${aws_opensearchserverless_access_policy.search.policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.sync.policy).Statement : statement.Resource
      if strcontains(jsonencode(statement.Action), "aoss:")
    ] == ["arn:aws:aoss:eu-west-1:111122223333:collection/1tg2xudton46knx2a95g"]
    error_message = "The role's policy is ${module.sync.policy}"
  }
}

run "administrators_may_create_an_index_in_a_nextgen_collection" {
  assert {
    condition = jsondecode(aws_opensearchserverless_access_policy.search.policy)[1].Rules[0] == {
      ResourceType = "collection"
      Resource     = ["collection/nextgen-search"]
      Permission   = ["aoss:CreateCollectionItems", "aoss:DescribeCollectionItems"]
    }
    error_message = "The data access policy is ${aws_opensearchserverless_access_policy.search.policy}"
  }
}
