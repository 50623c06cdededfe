# The example as the real provider plans it, without AWS: what it would look up there is given here.

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

variables {
  domain_name          = "search"
  permissions_boundary = "arn:aws:iam::111122223333:policy/workload-boundary"
}

run "the_role_is_the_other_teams" {
  command = plan

  assert {
    condition = (
      aws_iam_role.search.path == "/workloads/"
      && aws_iam_role.search.permissions_boundary == "arn:aws:iam::111122223333:policy/workload-boundary"
      && jsondecode(aws_iam_role.search.assume_role_policy).Statement[0].Principal.Service == "lambda.amazonaws.com"
    )
    error_message = "The role is planned as ${jsonencode(aws_iam_role.search)}"
  }

  assert {
    condition     = aws_iam_role_policy_attachment.search.role == "given-role-search"
    error_message = "The policy is attached to ${aws_iam_role_policy_attachment.search.role}."
  }
}

run "refuses_a_boundary_that_is_no_policy" {
  command = plan

  variables {
    permissions_boundary = "workload-boundary"
  }

  expect_failures = [var.permissions_boundary]
}

run "refuses_a_name_too_long_for_a_role" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
