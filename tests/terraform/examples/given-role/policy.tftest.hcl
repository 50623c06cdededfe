# What the other team has to attach, rendered by the real provider, which needs no AWS for that. What would need AWS is
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

override_resource {
  target = aws_iam_policy.search
  values = { arn = "arn:aws:iam::111122223333:policy/workloads/given-role-search" }
}

override_resource {
  target = aws_iam_role.search
  values = { arn = "arn:aws:iam::111122223333:role/workloads/given-role-search" }
}

override_resource {
  target = aws_iam_role_policy_attachment.search
}

override_resource {
  target = module.products.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/given-role-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/given-role-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/given-role-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:given-role-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:given-role-products-opensearch-sync-failures" }
}

variables {
  domain_name          = "search"
  permissions_boundary = "arn:aws:iam::111122223333:policy/workload-boundary"
}

run "the_function_runs_as_the_given_role_with_the_policy_that_the_module_names" {
  assert {
    condition = (
      module.sync.role_arn == "arn:aws:iam::111122223333:role/workloads/given-role-search"
      && aws_iam_policy.search.policy == module.sync.policy
      && output.policy == module.sync.policy
    )
    error_message = "The role is ${module.sync.role_arn}, its policy ${aws_iam_policy.search.policy}"
  }

  assert {
    condition = [
      for statement in jsondecode(output.policy).Statement : statement.Resource
      if strcontains(jsonencode(statement.Action), "es:")
    ] == ["arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk"]
    error_message = "The policy is ${output.policy}"
  }
}
