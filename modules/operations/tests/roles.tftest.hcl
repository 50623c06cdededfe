# The roles as AWS gets them: who may assume them, and what the state machine's own key and log add to its policy. The
# real provider renders the documents, as in policy.tftest.hcl.

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
  target = aws_cloudwatch_log_group.state_machine
  values = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vendedlogs/states/products" }
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
  sync = {
    domain_arn               = "arn:aws:es:eu-west-1:111122223333:domain/search"
    failure_destination_arn  = "arn:aws:sns:eu-west-1:111122223333:failures"
    failure_destination_type = "sns"
    function_arn             = "arn:aws:lambda:eu-west-1:111122223333:function:products-opensearch-sync"
    function_name            = "products-opensearch-sync"
    indices                  = ["products"]
    settings = {
      architectures           = ["arm64"]
      environment_variables   = { INDEX = "products" }
      filename                = "../../lambda/dist/dynamodb-opensearch.zip"
      indices_parameter_arns  = []
      layers                  = []
      opensearch_auth         = "sigv4"
      opensearch_service      = "es"
      request_timeout_seconds = 20
      role_path               = "/"
      runtime                 = "python3.13"
      table = {
        arn          = "arn:aws:dynamodb:eu-west-1:111122223333:table/products"
        kms_key_arns = []
        name         = "products"
      }
      projected = false
    }
  }
}

run "only_this_account_and_this_state_machine_use_the_roles" {
  assert {
    condition = jsondecode(aws_iam_role.function[0].assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "LambdaRunsTheFunction"
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = { StringEqualsIfExists = { "aws:SourceAccount" = "111122223333" } }
      }]
    }
    error_message = "The function's role may be assumed by ${aws_iam_role.function[0].assume_role_policy}"
  }

  assert {
    condition = jsondecode(aws_iam_role.state_machine[0].assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Sid       = "StepFunctionsRunsTheStateMachine"
        Effect    = "Allow"
        Principal = { Service = "states.amazonaws.com" }
        Action    = "sts:AssumeRole"
        Condition = {
          ArnLike = { "aws:SourceArn" = [
            "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations",
            "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations/*",
            "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations:*",
          ] }
          StringEquals = { "aws:SourceAccount" = "111122223333" }
        }
      }]
    }
    error_message = "The state machine's role may be assumed by ${aws_iam_role.state_machine[0].assume_role_policy}"
  }
}

run "a_key_and_a_log_add_their_rights" {
  variables {
    state_machine_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/executions"
    state_machine_log_level   = "ERROR"
  }

  assert {
    condition = slice(jsondecode(aws_iam_role_policy.state_machine[0].policy).Statement, 0, 2) == [
      {
        Sid      = "EncryptExecutions"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = "arn:aws:kms:eu-west-1:111122223333:key/executions"
        Condition = { StringEquals = { "kms:EncryptionContext:aws:states:stateMachineArn" = [
          "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations",
          "arn:aws:states:eu-west-1:111122223333:stateMachine:products-opensearch-operations/units",
        ] } }
      },
      {
        Sid      = "EncryptLogs"
        Effect   = "Allow"
        Action   = "kms:GenerateDataKey"
        Resource = "arn:aws:kms:eu-west-1:111122223333:key/executions"
        Condition = {
          StringEquals = { "kms:EncryptionContext:SourceArn" = "arn:aws:logs:eu-west-1:111122223333:*" }
        }
      },
    ]
    error_message = "The policy of the state machine is ${aws_iam_role_policy.state_machine[0].policy}"
  }

  assert {
    condition = (
      { for s in jsondecode(aws_iam_role_policy.state_machine[0].policy).Statement : s.Sid => s }.DeliverLogs
      == {
        Sid    = "DeliverLogs"
        Effect = "Allow"
        Action = [
          "logs:UpdateLogDelivery",
          "logs:PutResourcePolicy",
          "logs:ListLogDeliveries",
          "logs:GetLogDelivery",
          "logs:DescribeResourcePolicies",
          "logs:DescribeLogGroups",
          "logs:DeleteLogDelivery",
          "logs:CreateLogDelivery",
        ]
        Resource = "*"
      }
    )
    error_message = "The policy of the state machine is ${aws_iam_role_policy.state_machine[0].policy}"
  }
}

run "what_is_given_to_attach_is_what_would_be_attached" {
  assert {
    condition = (
      output.policy == aws_iam_role_policy.function[0].policy
      && output.state_machine_policy == aws_iam_role_policy.state_machine[0].policy
    )
    error_message = "The outputs policy and state_machine_policy aren't what the roles created here have."
  }
}
