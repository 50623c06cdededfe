# The example as the real provider plans it, without AWS.

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

variables {
  administrator_role_arn = "arn:aws:iam::111122223333:role/admin"
}

run "a_private_domain_in_two_zones" {
  command = plan

  assert {
    condition = (
      aws_opensearch_domain.search.domain_name == "private-search"
      && length(aws_opensearch_domain.search.vpc_options) == 1
      && one(aws_opensearch_domain.search.cluster_config).instance_count == 2
      && one(aws_opensearch_domain.search.cluster_config).zone_awareness_enabled
      && one(one(aws_opensearch_domain.search.cluster_config).zone_awareness_config).availability_zone_count == 2
      && aws_opensearch_domain.search.encrypt_at_rest[0].enabled
      && aws_opensearch_domain.search.node_to_node_encryption[0].enabled
      && aws_opensearch_domain.search.domain_endpoint_options[0].enforce_https
      && aws_opensearch_domain.search.domain_endpoint_options[0].tls_security_policy == "Policy-Min-TLS-1-2-PFS-2023-10"
    )
    error_message = "The domain is planned as ${jsonencode(aws_opensearch_domain.search)}"
  }

  assert {
    condition = (
      one(aws_opensearch_domain.search.advanced_security_options).enabled
      && !one(aws_opensearch_domain.search.advanced_security_options).anonymous_auth_enabled
      && !one(aws_opensearch_domain.search.advanced_security_options).internal_user_database_enabled
      && one(one(aws_opensearch_domain.search.advanced_security_options).master_user_options).master_user_arn == (
        "arn:aws:iam::111122223333:role/admin"
      )
    )
    error_message = "Fine-grained access control is not planned with the administrator's role as the master user."
  }

  assert {
    condition = { for subnet in aws_subnet.private : subnet.availability_zone => subnet.cidr_block } == {
      eu-west-1a = "10.0.0.0/26"
      eu-west-1b = "10.0.0.64/26"
    }
    error_message = "The subnets are planned as ${jsonencode(aws_subnet.private)}"
  }

  assert {
    condition = (
      alltrue([for subnet in aws_subnet.private : !subnet.map_public_ip_on_launch])
      && aws_vpc.this.enable_dns_support
      && aws_vpc.this.enable_dns_hostnames
    )
    error_message = "A subnet gives out public addresses, or the VPC resolves no names."
  }

  assert {
    condition = (
      aws_vpc_endpoint.dynamodb.service_name == "com.amazonaws.eu-west-1.dynamodb"
      && aws_vpc_endpoint.dynamodb.vpc_endpoint_type == "Gateway"
      && aws_vpc_endpoint.sqs.service_name == "com.amazonaws.eu-west-1.sqs"
      && aws_vpc_endpoint.sqs.vpc_endpoint_type == "Interface"
      && aws_vpc_endpoint.sqs.private_dns_enabled
    )
    error_message = "The endpoints are planned as ${jsonencode([aws_vpc_endpoint.dynamodb, aws_vpc_endpoint.sqs])}"
  }

  assert {
    condition = alltrue([
      for rule in concat(
        values(aws_vpc_security_group_ingress_rule.this),
        values(aws_vpc_security_group_egress_rule.this),
        [aws_vpc_security_group_egress_rule.dynamodb],
      ) : rule.from_port == 443 && rule.to_port == 443 && rule.ip_protocol == "tcp"
    ])
    error_message = "A way is open for more than HTTPS."
  }
}

run "refuses_an_administrator_that_is_no_role" {
  command = plan

  variables {
    administrator_role_arn = "arn:aws:sts::111122223333:assumed-role/admin/me"
  }

  expect_failures = [var.administrator_role_arn]
}

run "refuses_addresses_too_few_for_two_subnets" {
  command = plan

  variables {
    cidr_block = "10.0.0.0/27"
  }

  expect_failures = [var.cidr_block]
}

run "refuses_a_name_too_long_for_a_domain" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
