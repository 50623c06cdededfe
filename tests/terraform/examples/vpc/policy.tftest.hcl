# Who may talk to whom and do what, rendered by the real provider, which needs no AWS for that. What would need AWS is
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
  target = data.aws_availability_zones.available
  values = { names = ["eu-west-1a", "eu-west-1b", "eu-west-1c"] }
}

override_resource {
  target = module.products.aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/private-products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/private-products/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.sync.aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/private-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/private-products-opensearch-sync-20250101" }
}

override_resource {
  target = module.sync.aws_iam_role_policy.this
}

override_resource {
  target = module.sync.aws_lambda_event_source_mapping.this
}

override_resource {
  target = module.sync.aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:private-products-opensearch-sync" }
}

override_resource {
  target = module.sync.aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:private-products-opensearch-sync-failures" }
}

override_resource {
  target = aws_default_security_group.unused
}

override_resource {
  target = aws_opensearch_domain.search
  values = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/private-search"
    endpoint = "vpc-private-search-x.eu-west-1.es.amazonaws.com"
  }
}

override_resource {
  target = aws_opensearch_domain_policy.search
}

override_resource {
  target = aws_route_table.private
  values = { id = "rtb-1" }
}

override_resource {
  target = aws_route_table_association.private
}

override_resource {
  target = aws_security_group.this["clients"]
  values = { id = "sg-clients" }
}

override_resource {
  target = aws_security_group.this["domain"]
  values = { id = "sg-domain" }
}

override_resource {
  target = aws_security_group.this["function"]
  values = { id = "sg-function" }
}

override_resource {
  target = aws_security_group.this["sqs"]
  values = { id = "sg-sqs" }
}

override_resource {
  target = aws_subnet.private[0]
  values = { id = "subnet-0" }
}

override_resource {
  target = aws_subnet.private[1]
  values = { id = "subnet-1" }
}

override_resource {
  target = aws_vpc.this
  values = { id = "vpc-1" }
}

override_resource {
  target = aws_vpc_endpoint.dynamodb
  values = { prefix_list_id = "pl-dynamodb" }
}

override_resource {
  target = aws_vpc_endpoint.sqs
}

override_resource {
  target = aws_vpc_security_group_egress_rule.dynamodb
}

override_resource {
  target = aws_vpc_security_group_egress_rule.this
}

override_resource {
  target = aws_vpc_security_group_ingress_rule.this
}

variables {
  administrator_role_arn = "arn:aws:iam::111122223333:role/admin"
}

run "every_way_is_open_at_both_ends_and_there_is_no_other" {
  assert {
    condition = (
      {
        for way, rule in aws_vpc_security_group_egress_rule.this :
        way => "${rule.security_group_id} to ${rule.referenced_security_group_id}"
        } == {
        "clients to domain"  = "sg-clients to sg-domain"
        "function to domain" = "sg-function to sg-domain"
        "function to sqs"    = "sg-function to sg-sqs"
      }
      && {
        for way, rule in aws_vpc_security_group_ingress_rule.this :
        way => "${rule.referenced_security_group_id} to ${rule.security_group_id}"
        } == {
        "clients to domain"  = "sg-clients to sg-domain"
        "function to domain" = "sg-function to sg-domain"
        "function to sqs"    = "sg-function to sg-sqs"
      }
    )
    error_message = "The rules are ${jsonencode(aws_vpc_security_group_egress_rule.this)}"
  }

  assert {
    condition = (
      aws_vpc_security_group_egress_rule.dynamodb.security_group_id == "sg-function"
      && aws_vpc_security_group_egress_rule.dynamodb.prefix_list_id == "pl-dynamodb"
      && one(aws_opensearch_domain.search.vpc_options).security_group_ids == toset(["sg-domain"])
      && one(aws_opensearch_domain.search.vpc_options).subnet_ids == toset(["subnet-0", "subnet-1"])
      && aws_vpc_endpoint.sqs.security_group_ids == toset(["sg-sqs"])
      && aws_vpc_endpoint.sqs.subnet_ids == toset(["subnet-0", "subnet-1"])
      && aws_vpc_endpoint.dynamodb.route_table_ids == toset(["rtb-1"])
      && [for association in aws_route_table_association.private : association.subnet_id] == ["subnet-0", "subnet-1"]
      && alltrue([for association in aws_route_table_association.private : association.route_table_id == "rtb-1"])
    )
    error_message = join(" ", [
      "A group, a subnet or a route is not where it belongs:",
      "${jsonencode([aws_vpc_endpoint.sqs, aws_vpc_endpoint.dynamodb])}",
    ])
  }
}

run "the_endpoints_carry_the_functions_own_calls_only" {
  assert {
    condition = jsondecode(aws_vpc_endpoint.dynamodb.policy).Statement == [{
      Sid       = "SyncReadsItems"
      Effect    = "Allow"
      Principal = "*"
      Action    = "dynamodb:BatchGetItem"
      Resource  = "arn:aws:dynamodb:eu-west-1:111122223333:table/private-products"
      Condition = {
        ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::111122223333:role/private-products-opensearch-sync-20250101" }
      }
    }]
    error_message = "DynamoDB's endpoint lets through ${aws_vpc_endpoint.dynamodb.policy}"
  }

  assert {
    condition = jsondecode(aws_vpc_endpoint.sqs.policy).Statement == [{
      Sid       = "SyncSendsDeadLetters"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::111122223333:role/private-products-opensearch-sync-20250101" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-west-1:111122223333:private-products-opensearch-sync-failures"
    }]
    error_message = "SQS's endpoint lets through ${aws_vpc_endpoint.sqs.policy}"
  }
}

run "the_domain_lets_in_the_sync_and_the_administrator" {
  assert {
    condition = jsondecode(aws_opensearch_domain_policy.search.access_policies).Statement == [
      {
        Sid       = "SyncWritesProducts"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::111122223333:role/private-products-opensearch-sync-20250101" }
        Action    = "es:ESHttpPost"
        Resource  = "arn:aws:es:eu-west-1:111122223333:domain/private-search/products/_bulk"
      },
      {
        Sid       = "AdministratorManages"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::111122223333:role/admin" }
        Action    = "es:ESHttp*"
        Resource  = "arn:aws:es:eu-west-1:111122223333:domain/private-search/*"
      },
    ]
    error_message = "The domain's policy is ${aws_opensearch_domain_policy.search.access_policies}"
  }

  assert {
    condition = (
      anytrue([for statement in jsondecode(module.sync.policy).Statement : statement.Sid == "AttachToVpc"])
    )
    error_message = "The function is in no VPC."
  }
}

run "the_setup_names_this_domain_and_this_role" {
  assert {
    condition = (
      strcontains(output.setup, "https://vpc-private-search-x.eu-west-1.es.amazonaws.com$1")
      && strcontains(output.setup, "aws:amz:eu-west-1:es")
      && strcontains(output.setup, "\"backend_roles\": [\"${module.sync.role_arn}\"]")
    )
    error_message = output.setup
  }
}
