# The example as the real provider plans it, without AWS. The collection is given: provider 5 can't make it.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  administrator_arns = ["arn:aws:iam::111122223333:role/admin"]
  collection = {
    name                = "nextgen-search"
    arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/1tg2xudton46knx2a95g"
    collection_endpoint = "https://1tg2xudton46knx2a95g.aoss.eu-west-1.on.aws"
  }
}

run "the_module_takes_the_url_of_a_nextgen_collection" {
  command = plan

  assert {
    condition = (
      output.collection_endpoint == "https://1tg2xudton46knx2a95g.aoss.eu-west-1.on.aws"
      && module.sync.collection_arn == "arn:aws:aoss:eu-west-1:111122223333:collection/1tg2xudton46knx2a95g"
      && module.sync.settings.opensearch_service == "aoss"
    )
    error_message = "The sync writes to ${output.collection_endpoint}."
  }

  assert {
    condition     = module.sync.settings.request_timeout_seconds == 60
    error_message = "The sync gives up before the collection has woken."
  }

  assert {
    condition = jsondecode(aws_opensearchserverless_security_policy.network.policy) == [{
      Rules           = [{ ResourceType = "collection", Resource = ["collection/nextgen-search"] }]
      AllowFromPublic = true
    }]
    error_message = "The network policy is ${aws_opensearchserverless_security_policy.network.policy}"
  }
}

run "refuses_a_classic_collection" {
  command = plan

  variables {
    collection = {
      name                = "classic-search"
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/x1"
      collection_endpoint = "https://x1.eu-west-1.aoss.amazonaws.com"
    }
  }

  expect_failures = [var.collection]
}

run "refuses_to_have_no_administrator" {
  command = plan

  variables {
    administrator_arns = []
  }

  expect_failures = [var.administrator_arns]
}

run "refuses_a_name_of_21_letters" {
  command = plan

  variables {
    name = "a-name-of-21-letters-"
  }

  expect_failures = [var.name]
}
