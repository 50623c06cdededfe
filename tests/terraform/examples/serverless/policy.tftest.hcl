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
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/serverless-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/serverless-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/serverless-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/serverless-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:serverless-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:serverless-products-opensearch-sync-failures" }
}

override_resource {
  target = aws_opensearchserverless_access_policy.search
}

override_resource {
  target = aws_opensearchserverless_collection.search
  values = {
    arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/x1"
    collection_endpoint = "https://x1.eu-west-1.aoss.amazonaws.com"
  }
}

override_resource {
  target = aws_opensearchserverless_security_policy.encryption
}

override_resource {
  target = aws_opensearchserverless_security_policy.network
}

override_resource {
  target = aws_opensearchserverless_vpc_endpoint.search
  values = { id = "vpce-1" }
}

variables {
  administrator_arns = ["arn:aws:iam::111122223333:role/admin"]
  vpc                = { id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"], security_group_ids = ["sg-1"] }
}

run "the_sync_writes_documents_of_its_index_and_no_more" {
  assert {
    condition = jsondecode(aws_opensearchserverless_access_policy.search.policy)[0] == {
      Description = "The sync writes its index, by POST /products/_bulk, and no more."
      Principal   = ["arn:aws:iam::111122223333:role/serverless-products-opensearch-sync-20250101"]
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/serverless-search/products"]
        Permission   = ["aoss:WriteDocument"]
      }]
    }
    error_message = "The data access policy is ${aws_opensearchserverless_access_policy.search.policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(module.sync.policy).Statement : statement.Resource
      if strcontains(jsonencode(statement.Action), "aoss:")
    ] == ["arn:aws:aoss:eu-west-1:111122223333:collection/x1"]
    error_message = "The role's policy is ${module.sync.policy}"
  }
}

run "administrators_create_indexes_and_search" {
  assert {
    condition = jsondecode(aws_opensearchserverless_access_policy.search.policy)[1] == {
      Description = "Administrators create, change and delete indexes, and search."
      Principal   = ["arn:aws:iam::111122223333:role/admin"]
      Rules = [{
        ResourceType = "index"
        Resource     = ["index/serverless-search/*"]
        Permission = [
          "aoss:CreateIndex", "aoss:DeleteIndex", "aoss:DescribeIndex", "aoss:ReadDocument", "aoss:UpdateIndex",
        ]
      }]
    }
    error_message = "The data access policy is ${aws_opensearchserverless_access_policy.search.policy}"
  }
}

run "with_a_vpc_only_its_endpoint_lets_requests_in" {
  assert {
    condition = jsondecode(aws_opensearchserverless_security_policy.network.policy) == [{
      Rules           = [{ ResourceType = "collection", Resource = ["collection/serverless-search"] }]
      AllowFromPublic = false
      SourceVPCEs     = ["vpce-1"]
    }]
    error_message = "The network policy is ${aws_opensearchserverless_security_policy.network.policy}"
  }

  assert {
    condition = (
      anytrue([for statement in jsondecode(module.sync.policy).Statement : statement.Sid == "AttachToVpc"])
    )
    error_message = "The function is in no VPC."
  }
}
