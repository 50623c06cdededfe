# The IAM policies as AWS gets them: rendered by the real provider, which needs no AWS for that. What would need AWS is
# overridden. Each case lists the whole policy, so nothing can be missing or superfluous.

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
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations" }
}

override_resource {
  target = aws_iam_role.function
  values = { arn = "arn:aws:iam::111122223333:role/products-opensearch-operations-1" }
}

override_resource {
  target = aws_iam_role.state_machine
  values = { arn = "arn:aws:iam::111122223333:role/products-opensearch-operations-2" }
}

override_resource {
  target = aws_iam_role_policy.function
}

override_resource {
  target = aws_iam_role_policy.state_machine
}

override_resource {
  target = aws_lambda_function.this
  values = { arn = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-operations" }
}

override_resource {
  target = aws_sfn_state_machine.this
  values = { arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations" }
}

variables {
  # What the root module gives. Here its failure destination is a topic, from which nothing can be redriven.
  sync = {
    domain_arn               = "arn:aws:es:eu-west-1:111122223333:domain/search"
    failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:failures"
    failure_destination_type = "sns"
    function_arn             = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync"
    function_name            = "products-opensearch-sync"
    indices                  = ["products"]
    settings = {
      architectures = ["arm64"]
      environment_variables = {
        BULK_ACTIONS            = "500"
        CONFLICT_WINDOW_SECONDS = "60"
        DEAD_LETTER_ARN         = "arn:aws:sns:eu-west-1:111122223333:failures"
        INDEX                   = "products"
        LOG_LEVEL               = "WARNING"
        OPENSEARCH_AUTH         = "sigv4"
        OPENSEARCH_ENDPOINT     = "https://search-x.eu-west-1.es.amazonaws.com"
        OPENSEARCH_SERVICE      = "es"
        REQUEST_TIMEOUT_SECONDS = "20"
        SYNC_NAME               = "products-opensearch-sync"
        TABLE_KEYS              = "productId"
        TABLE_NAME              = "products"
      }
      filename                = "../../lambda/dist/dynamodb-opensearch.zip"
      indices_parameter_arns  = []
      layers                  = []
      opensearch_auth         = "sigv4"
      opensearch_service      = "es"
      request_timeout_seconds = 20
      role_path               = "/"
      runtime                 = "python3.13"
      source_code_hash        = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
      table = {
        arn          = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        kms_key_arns = []
        name         = "products"
      }
      projected = false
    }
  }
}

run "a_domain_alone" {
  assert {
    condition = jsondecode(aws_iam_role_policy.function[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "ReadTable"
          Effect   = "Allow"
          Action   = ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"]
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        },
        {
          Sid      = "DescribeIndex"
          Effect   = "Allow"
          Action   = "es:ESHttpGet"
          Resource = "arn:aws:es:eu-west-1:111122223333:domain/search/products"
        },
        {
          Sid    = "ReadIndex"
          Effect = "Allow"
          Action = "es:ESHttpPost"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_search",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_mget",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_count",
          ]
        },
        {
          Sid    = "WriteIndex"
          Effect = "Allow"
          Action = "es:ESHttpPost"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_refresh",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk",
          ]
        },
        {
          Sid      = "CreateIndex"
          Effect   = "Allow"
          Action   = "es:ESHttpPut"
          Resource = "arn:aws:es:eu-west-1:111122223333:domain/search/products"
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations:*"
        },
      ]
    }
    error_message = "The policy of the function is ${aws_iam_role_policy.function[0].policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.state_machine[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "InvokeFunction"
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-operations"
        },
        {
          Sid      = "StartUnits"
          Effect   = "Allow"
          Action   = "states:StartExecution"
          Resource = "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations"
        },
        {
          Sid    = "FollowUnits"
          Effect = "Allow"
          Action = ["states:StopExecution", "states:RedriveExecution", "states:DescribeExecution"]
          Resource = [
            "arn:aws:states:eu-west-1:111122223333:execution:products-opensearch-operations:*",
            "arn:aws:states:eu-west-1:111122223333:execution:products-opensearch-operations/units:*",
          ]
        },
      ]
    }
    error_message = "The policy of the state machine is ${aws_iam_role_policy.state_machine[0].policy}"
  }
}

run "a_collection_and_a_bucket_of_failures" {
  variables {
    sync = merge(var.sync, {
      collection_arn           = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
      domain_arn               = null
      failure_destination_arn  = "arn:aws:s3:::failures"
      failure_destination_type = "s3"
      settings = merge(var.sync.settings, {
        environment_variables = merge(var.sync.settings.environment_variables, {
          OPENSEARCH_ENDPOINT = "https://abc123.eu-west-1.aoss.amazonaws.com"
          OPENSEARCH_SERVICE  = "aoss"
        })
        failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/failures"
        opensearch_service              = "aoss"
      })
    })
    report_bucket = { arn = "arn:aws:s3:::reports" }
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.function[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "DecryptFailures"
          Effect   = "Allow"
          Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/failures"
        },
        {
          Sid      = "ReadTable"
          Effect   = "Allow"
          Action   = ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"]
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        },
        {
          Sid      = "ReachCollection"
          Effect   = "Allow"
          Action   = "aoss:APIAccessAll"
          Resource = "arn:aws:aoss:eu-west-1:111122223333:collection/abc123"
        },
        { Sid = "FindFailures", Effect = "Allow", Action = "s3:ListBucket", Resource = "arn:aws:s3:::failures" },
        {
          Sid      = "RedriveBucket"
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:DeleteObject"]
          Resource = ["arn:aws:s3:::failures/dead-letters/*", "arn:aws:s3:::failures/aws/lambda/*"]
        },
        {
          Sid      = "KeepFailures"
          Effect   = "Allow"
          Action   = "s3:PutObject"
          Resource = "arn:aws:s3:::failures/dead-letters/*"
        },
        {
          Sid      = "WriteReports"
          Effect   = "Allow"
          Action   = "s3:PutObject"
          Resource = "arn:aws:s3:::reports/reports/*"
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations:*"
        },
      ]
    }
    error_message = "The policy of the function is ${aws_iam_role_policy.function[0].policy}"
  }
}

run "everything_that_adds_a_right" {
  variables {
    sync = merge(var.sync, {
      failure_destination_arn  = "arn:aws:sqs:eu-west-1:111122223333:failures"
      failure_destination_type = "sqs"
      settings = merge(var.sync.settings, {
        failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/failures"
        kms_key_arn                     = "arn:aws:kms:eu-west-1:111122223333:key/environment"
        table = {
          arn          = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
          kms_key_arns = ["arn:aws:kms:eu-west-1:111122223333:key/table"]
          name         = "products"
        }
        vpc_config = { subnet_ids = ["subnet-1"], security_group_ids = ["sg-1"], ipv6_allowed_for_dual_stack = false }
      })
    })
    indices                   = ["products-*"]
    export_bucket             = { arn = "arn:aws:s3:::exports" }
    export_bucket_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/exports"
    report_bucket             = { arn = "arn:aws:s3:::reports" }
    report_bucket_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/reports"
    tracing_mode              = "Active"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.function[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "DecryptTable"
          Effect   = "Allow"
          Action   = "kms:Decrypt"
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/table"
        },
        {
          Sid      = "DecryptFailures"
          Effect   = "Allow"
          Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/failures"
        },
        {
          Sid      = "DecryptExports"
          Effect   = "Allow"
          Action   = "kms:Decrypt"
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/exports"
        },
        {
          Sid      = "EncryptReports"
          Effect   = "Allow"
          Action   = "kms:GenerateDataKey"
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/reports"
        },
        {
          Sid      = "DecryptEnvironment"
          Effect   = "Allow"
          Action   = "kms:Decrypt"
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/environment"
        },
        {
          Sid      = "ReadTable"
          Effect   = "Allow"
          Action   = ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"]
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        },
        {
          Sid    = "DescribeIndex"
          Effect = "Allow"
          Action = "es:ESHttpGet"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products",
          ]
        },
        {
          Sid    = "ReadIndex"
          Effect = "Allow"
          Action = "es:ESHttpPost"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_search",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_mget",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_count",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/_search",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/_mget",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/_count",
          ]
        },
        {
          Sid    = "WriteIndex"
          Effect = "Allow"
          Action = "es:ESHttpPost"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_refresh",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products/_bulk",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/_refresh",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/_bulk",
          ]
        },
        {
          Sid    = "CreateIndex"
          Effect = "Allow"
          Action = "es:ESHttpPut"
          Resource = [
            "arn:aws:es:eu-west-1:111122223333:domain/search/products-*",
            "arn:aws:es:eu-west-1:111122223333:domain/search/products",
          ]
        },
        {
          Sid      = "CreateNothingBelow"
          Effect   = "Deny"
          Action   = "es:ESHttpPut"
          Resource = "arn:aws:es:eu-west-1:111122223333:domain/search/products-*/*"
        },
        {
          Sid      = "RedriveQueue"
          Effect   = "Allow"
          Action   = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
          Resource = "arn:aws:sqs:eu-west-1:111122223333:failures"
        },
        {
          Sid      = "ReadStream"
          Effect   = "Allow"
          Action   = ["dynamodb:GetShardIterator", "dynamodb:GetRecords"]
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/stream/*"
        },
        {
          Sid      = "FindExports"
          Effect   = "Allow"
          Action   = "dynamodb:DescribeExport"
          Resource = "arn:aws:dynamodb:eu-west-1:111122223333:table/products/export/*"
        },
        { Sid = "ReadExports", Effect = "Allow", Action = "s3:GetObject", Resource = "arn:aws:s3:::exports/*" },
        {
          Sid      = "WriteReports"
          Effect   = "Allow"
          Action   = "s3:PutObject"
          Resource = "arn:aws:s3:::reports/reports/*"
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations:*"
        },
        {
          Sid      = "Trace"
          Effect   = "Allow"
          Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
          Resource = "*"
        },
        {
          Sid    = "AttachToVpc"
          Effect = "Allow"
          Action = [
            "ec2:UnassignPrivateIpAddresses",
            "ec2:DescribeSubnets",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DeleteNetworkInterface",
            "ec2:CreateNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
          ]
          Resource = "*"
        },
        {
          Sid    = "KeepCodeOffVpc"
          Effect = "Deny"
          Action = [
            "ec2:UnassignPrivateIpAddresses",
            "ec2:DescribeSubnets",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DeleteNetworkInterface",
            "ec2:CreateNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
          ]
          Resource = "*"
          Condition = {
            ArnEquals = {
              "lambda:SourceFunctionArn" = output.function_arn
            }
          }
        },
      ]
    }
    error_message = "The policy of the function is ${aws_iam_role_policy.function[0].policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.state_machine[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "InvokeFunction"
          Effect   = "Allow"
          Action   = "lambda:InvokeFunction"
          Resource = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-operations"
        },
        {
          Sid      = "StartUnits"
          Effect   = "Allow"
          Action   = "states:StartExecution"
          Resource = "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations"
        },
        {
          Sid    = "FollowUnits"
          Effect = "Allow"
          Action = ["states:StopExecution", "states:RedriveExecution", "states:DescribeExecution"]
          Resource = [
            "arn:aws:states:eu-west-1:111122223333:execution:products-opensearch-operations:*",
            "arn:aws:states:eu-west-1:111122223333:execution:products-opensearch-operations/units:*",
          ]
        },
        {
          Sid    = "Trace"
          Effect = "Allow"
          Action = [
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
            "xray:GetSamplingTargets",
            "xray:GetSamplingRules",
          ]
          Resource = "*"
        },
      ]
    }
    error_message = "The policy of the state machine is ${aws_iam_role_policy.state_machine[0].policy}"
  }
}

run "a_password_and_another_accounts_table" {
  variables {
    sync = merge(var.sync, {
      settings = merge(var.sync.settings, {
        environment_variables = merge(var.sync.settings.environment_variables, {
          OPENSEARCH_AUTH       = "basic"
          OPENSEARCH_SECRET_ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
          TABLE_NAME            = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
        })
        failure_destination_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/topic"
        opensearch_auth                 = "basic"
        opensearch_secret_arn           = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
        opensearch_secret_kms_key_arn   = "arn:aws:kms:eu-west-1:111122223333:key/secret"
        table = {
          arn          = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
          kms_key_arns = []
          name         = "products"
        }
      })
    })
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.function[0].policy) == {
      Version = "2012-10-17"
      Statement = [
        {
          Sid      = "DecryptPassword"
          Effect   = "Allow"
          Action   = "kms:Decrypt"
          Resource = "arn:aws:kms:eu-west-1:111122223333:key/secret"
        },
        {
          Sid      = "ReadTable"
          Effect   = "Allow"
          Action   = ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"]
          Resource = "arn:aws:dynamodb:eu-west-1:444455556666:table/products"
        },
        {
          Sid      = "ReadPassword"
          Effect   = "Allow"
          Action   = "secretsmanager:GetSecretValue"
          Resource = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:search-AbCdEf"
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:PutLogEvents", "logs:CreateLogStream"]
          Resource = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations:*"
        },
      ]
    }
    error_message = "The policy of the function is ${aws_iam_role_policy.function[0].policy}"
  }
}

run "several_indices_in_a_parameter_and_a_transform" {
  variables {
    sync = merge(var.sync, {
      indices = ["orders", "products"]
      settings = merge(var.sync.settings, {
        environment_variables = merge({ for name, value in var.sync.settings.environment_variables :
          name => value if name != "INDEX" }, {
          INDICES = "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd"
        })
        indices_parameter_arns = [
          "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd",
        ]
        layers    = ["arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"]
        projected = true
      })
    })
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.function[0].policy).Statement :
      statement.Sid => [statement.Action, statement.Resource]
      } == {
      ReadTable = [
        ["dynamodb:Scan", "dynamodb:DescribeTable", "dynamodb:BatchGetItem"],
        "arn:aws:dynamodb:eu-west-1:111122223333:table/products",
      ]
      DescribeIndex = ["es:ESHttpGet", [
        "arn:aws:es:eu-west-1:111122223333:domain/search/products",
        "arn:aws:es:eu-west-1:111122223333:domain/search/orders",
      ]]
      ReadIndex = ["es:ESHttpPost", flatten([for index in ["products", "orders"] : [
        for api in ["_search", "_mget", "_count"] : "arn:aws:es:eu-west-1:111122223333:domain/search/${index}/${api}"
      ]])]
      WriteIndex = ["es:ESHttpPost", flatten([for index in ["products", "orders"] : [
        for api in ["_refresh", "_bulk"] : "arn:aws:es:eu-west-1:111122223333:domain/search/${index}/${api}"
      ]])]
      CreateIndex = ["es:ESHttpPut", [
        "arn:aws:es:eu-west-1:111122223333:domain/search/products",
        "arn:aws:es:eu-west-1:111122223333:domain/search/orders",
      ]]
      ReadProjections = [
        "ssm:GetParameter",
        "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd",
      ]
      CompareCode = [
        "lambda:GetFunctionConfiguration",
        "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync",
      ]
      WriteLogs = [
        ["logs:PutLogEvents", "logs:CreateLogStream"],
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/products-opensearch-operations:*",
      ]
    }
    error_message = "The policy of the function is ${aws_iam_role_policy.function[0].policy}"
  }

  assert {
    condition = {
      for name, value in aws_lambda_function.this.environment[0].variables : name => value
      if contains(["INDEX", "INDICES", "SYNC_FUNCTION", "TRANSFORM_LAYERS"], name)
      } == {
      INDICES          = "arn:aws:ssm:eu-west-1:111122223333:parameter/indices-products-opensearch-sync-1234abcd"
      SYNC_FUNCTION    = "products-opensearch-sync"
      TRANSFORM_LAYERS = "arn:aws:lambda:eu-west-1:111122223333:layer:transforms:7"
    }
    error_message = "The function's environment is ${jsonencode(aws_lambda_function.this.environment[0].variables)}."
  }
}
