# The IAM policies as AWS gets them: rendered by the real provider, which needs no AWS for that. What would need AWS is
# overridden. Each case lists the whole policy, so nothing can be missing and nothing superfluous.

provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_resource {
  target = aws_cloudwatch_log_group.this
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-sync" }
}

override_resource {
  target = aws_iam_role.this
  values = { arn = "arn:aws:iam::111122223333:role/products-opensearch-sync-20250101" }
}

override_resource {
  target = aws_iam_role_policy.this
}

override_resource {
  target = aws_lambda_alias.live
}

override_resource {
  target = aws_lambda_event_source_mapping.this
}

override_resource {
  target = aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync" }
}

override_resource {
  target = aws_s3_bucket.failures
  values = { arn = "arn:aws:s3:::products-opensearch-sync-failures-20250101" }
}

override_resource {
  target = aws_s3_bucket_lifecycle_configuration.failures
}

override_resource {
  target = aws_s3_bucket_policy.failures
}

override_resource {
  target = aws_s3_bucket_public_access_block.failures
}

override_resource {
  target = aws_s3_bucket_server_side_encryption_configuration.failures
}

override_resource {
  target = aws_sns_topic_subscription.failures
}

override_resource {
  target = aws_sns_topic.failures
  values = { arn = "arn:aws:sns:eu-west-1:111122223333:products-opensearch-sync-failures" }
}

override_resource {
  target = aws_ssm_parameter.projections
  values = { arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd" }
}

override_resource {
  target = aws_sqs_queue.failures
  values = { arn = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures" }
}

variables {
  index = "products"
  table = {
    name       = "products"
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
    hash_key   = "productId"
  }
  domain = {
    arn      = "arn:aws:es:eu-west-1:111122223333:domain/search"
    endpoint = "search-x.eu-west-1.es.amazonaws.com"
  }
}

run "a_domain_and_a_queue" {
  assert {
    condition = jsondecode(aws_iam_role_policy.this[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadStream"
          Effect   = "Allow"
          Action   = ["dynamodb:GetShardIterator", "dynamodb:GetRecords", "dynamodb:DescribeStream"]
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
        },
        { Sid = "FindStream", Effect = "Allow", Action = "dynamodb:ListStreams", Resource = "*" },
        {
          Sid      = "ReadItems"
          Effect   = "Allow"
          Action   = "dynamodb:BatchGetItem"
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        },
        {
          Sid      = "WriteIndex"
          Effect   = "Allow"
          Action   = "es:ESHttpPost"
          Resource = "arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk"
        },
        {
          Sid      = "DeliverFailures"
          Effect   = "Allow"
          Action   = "sqs:SendMessage"
          Resource = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-sync:*"
        },
      ]
    }
    error_message = "The role's policy is ${aws_iam_role_policy.this[0].policy}"
  }

  # A statement without a condition: nobody can delete the queue while it is there.
  assert {
    condition = jsondecode(aws_sqs_queue.failures[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "RefusePlainHttp"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:*"
          Resource  = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "KeepFailures"
          Effect    = "Deny"
          Principal = "*"
          Action    = "sqs:DeleteQueue"
          Resource  = "arn:aws:sqs:eu-west-1:111122223333:products-opensearch-sync-failures"
        },
      ]
    }
    error_message = "The queue's policy is ${aws_sqs_queue.failures[0].policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role.this[0].assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "LambdaRunsTheFunction"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "lambda.amazonaws.com" }
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = "111122223333" } }
      }]
    }
    error_message = "The role's trust policy is ${aws_iam_role.this[0].assume_role_policy}"
  }
}

run "a_collection_and_a_topic" {
  variables {
    domain = null
    collection = {
      arn                 = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      collection_endpoint = "https://abc123.eu-west-1.aoss.amazonaws.com"
    }
    failure_destination_type         = "sns"
    failure_destination_subscription = { protocol = "sqs", endpoint = "arn:aws:sqs:eu-west-1:111122223333:letters" }
  }

  assert {
    condition = jsondecode(aws_sns_topic.failures[0].policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "RefusePlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sns:Publish"
        Resource  = "arn:aws:sns:eu-west-1:111122223333:products-opensearch-sync-failures"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    }
    error_message = "The topic's policy is ${aws_sns_topic.failures[0].policy}"
  }

  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      ReadStream = [
        ["dynamodb:GetShardIterator", "dynamodb:GetRecords", "dynamodb:DescribeStream"],
        "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000",
      ]
      FindStream      = ["dynamodb:ListStreams", "*"]
      ReadItems       = ["dynamodb:BatchGetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/products"]
      ReachCollection = ["aoss:APIAccessAll", "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"]
      DeliverFailures = ["sns:Publish", "arn:aws:sns:eu-west-1:111122223333:products-opensearch-sync-failures"]
      WriteLogs = [
        ["logs:PutLogEvents", "logs:CreateLogStream"],
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-sync:*",
      ]
    }
    error_message = "The policy is ${output.policy}"
  }
}

run "everything_that_adds_a_right" {
  variables {
    table = {
      name       = "products"
      arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
      stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
      hash_key   = "productId"
      server_side_encryption = [{
        enabled     = true
        kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/table"
      }]
    }
    opensearch_auth                 = "basic"
    opensearch_secret_arn           = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
    opensearch_secret_kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/secret"
    failure_destination_type        = "s3"
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/failures"
    kms_key_arn                     = "arn:aws:kms:eu-west-1:111122223333:key/environment"
    publish                         = true
    tracing_mode                    = "Active"
    vpc_config                      = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"] }
  }

  # Basic auth signs nothing: no permission for the domain. Lambda checks that the bucket exists.
  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement :
      statement.Sid => [statement.Effect, statement.Action, statement.Resource]
      } == {
      ReadStream = [
        "Allow", ["dynamodb:GetShardIterator", "dynamodb:GetRecords", "dynamodb:DescribeStream"],
        "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000",
      ]
      FindStream   = ["Allow", "dynamodb:ListStreams", "*"]
      ReadItems    = ["Allow", "dynamodb:BatchGetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/products"]
      DecryptTable = ["Allow", "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/table"]
      ReadPassword = [
        "Allow", "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf",
      ]
      DecryptPassword = ["Allow", "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/secret"]
      DeliverFailures = ["Allow", "s3:PutObject", "arn:aws:s3:::products-opensearch-sync-failures-20250101/*"]
      FindFailures    = ["Allow", "s3:ListBucket", "arn:aws:s3:::products-opensearch-sync-failures-20250101"]
      EncryptFailures = ["Allow", "kms:GenerateDataKey", "arn:aws:kms:eu-west-1:111122223333:key/failures"]
      WriteLogs = [
        "Allow", ["logs:PutLogEvents", "logs:CreateLogStream"],
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-sync:*",
      ]
      DecryptEnvironment = ["Allow", "kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/environment"]
      Trace              = ["Allow", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"]
      AttachToVpc = ["Allow", [
        "ec2:UnassignPrivateIpAddresses", "ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface", "ec2:CreateNetworkInterface", "ec2:AssignPrivateIpAddresses",
      ], "*"]
      KeepCodeOffVpc = ["Deny", [
        "ec2:UnassignPrivateIpAddresses", "ec2:DescribeSubnets", "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface", "ec2:CreateNetworkInterface", "ec2:AssignPrivateIpAddresses",
      ], "*"]
    }
    error_message = "The policy is ${output.policy}"
  }

  assert {
    condition = one([
      for statement in jsondecode(output.policy).Statement : statement.Condition if statement.Sid == "KeepCodeOffVpc"
      ]) == {
      ArnEquals = {
        "lambda:SourceFunctionArn" = [
          "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync",
          "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync:*",
        ]
      }
    }
    error_message = "What is kept from the code is kept from others too: ${output.policy}"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.failures[0].policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "RefusePlainHttp"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource = [
          "arn:aws:s3:::products-opensearch-sync-failures-20250101/*",
          "arn:aws:s3:::products-opensearch-sync-failures-20250101",
        ]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    }
    error_message = "The bucket's policy is ${aws_s3_bucket_policy.failures[0].policy}"
  }
}

run "a_given_encrypted_queue" {
  variables {
    failure_destination             = { arn = "arn:aws:sqs:eu-west-1:111122223333:shared-failures" }
    failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/failures"
  }

  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource] if strcontains(statement.Sid, "Failures")
      } == {
      DeliverFailures = ["sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:shared-failures"]
      EncryptFailures = [["kms:GenerateDataKey", "kms:Decrypt"], "arn:aws:kms:eu-west-1:111122223333:key/failures"]
    }
    error_message = "The policy is ${output.policy}"
  }
}

run "a_table_whose_key_aws_owns_adds_nothing" {
  variables {
    table = {
      name                   = "products"
      arn                    = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
      stream_arn             = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/2025-01-01T00:00:00.000"
      hash_key               = "productId"
      server_side_encryption = [{ enabled = false, kms_key_arn = "" }]
    }
    failure_destination_force_destroy = true
  }

  assert {
    condition     = !strcontains(aws_sqs_queue.failures[0].policy, "DeleteQueue")
    error_message = "The queue can't be deleted, although it may be: ${aws_sqs_queue.failures[0].policy}"
  }

  assert {
    condition     = !strcontains(output.policy, "kms:")
    error_message = "The policy is ${output.policy}"
  }
}

run "several_indices_in_a_parameter" {
  variables {
    index = null
    indices = {
      products = {}
      # Hashes, which gzip doesn't make short: more than the environment takes.
      orders = { exclude = [for number in range(60) : sha256(tostring(number))] }
    }
  }

  assert {
    condition = {
      for statement in jsondecode(output.policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      if contains(["WriteIndex", "ReadProjections"], statement.Sid)
      } == {
      WriteIndex = ["es:ESHttpPost", [
        "arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk",
        "arn:aws:es:eu-west-1:111122223333:domain/search/orders/_bulk",
      ]]
      ReadProjections = [
        "ssm:GetParameter",
        "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd",
      ]
    }
    error_message = "The policy is ${output.policy}"
  }
}
