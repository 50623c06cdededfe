# How the function signs in, and what its role may read for it, rendered by the real provider, which needs no AWS for
# that. What would need AWS is overridden.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_resource {
  target = aws_lambda_layer_version.authority
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:layer:self-managed-authority:1" }
}

override_resource {
  target = aws_secretsmanager_secret.search
  values = { arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:self-managed-1-AbCdEf" }
}

override_resource {
  target = module.products.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/self-managed-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/self-managed-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/self-managed-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/self-managed-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:self-managed-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:self-managed-products-opensearch-sync-failures" }
}

variables {
  opensearch_endpoint = "https://search.example.com:9200"
  authority_package   = "main.tf"
}

run "the_role_reads_the_one_secret_and_has_no_right_in_opensearch" {
  assert {
    condition = [
      for statement in jsondecode(module.sync.policy).Statement : statement
      if strcontains(jsonencode(statement.Action), "secretsmanager:")
      ] == [{
        Sid      = "ReadPassword"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:self-managed-1-AbCdEf"
    }]
    error_message = "The role's policy is ${module.sync.policy}"
  }

  assert {
    condition     = !can(regex("\"(es|aoss):", module.sync.policy))
    error_message = "The role's policy is ${module.sync.policy}"
  }

  assert {
    condition = (
      module.sync.settings.opensearch_auth == "basic"
      && module.sync.settings.environment_variables["OPENSEARCH_CA_FILE"] == "/opt/authority.pem"
      && module.sync.settings.layers == tolist(["arn:aws:lambda:eu-west-1:111122223333:layer:self-managed-authority:1"])
    )
    error_message = "The sync's settings are ${jsonencode(module.sync.settings)}"
  }
}
