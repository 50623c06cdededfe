# Plan → all units at the same time, each in invocation after invocation until it is done → the sum of their counts.
# When Step Functions redrives a failed execution, each unit continues where it stopped.

locals {
  # Errors that pass: throttled or lost invocations, a cluster that is busy or down. A ConfigurationError isn't retried:
  # something must be changed first.
  retry = [
    {
      ErrorEquals     = ["Lambda.TooManyRequestsException"]
      IntervalSeconds = 5
      MaxAttempts     = 30
      BackoffRate     = 2
      MaxDelaySeconds = 60
      JitterStrategy  = "FULL"
    },
    {
      ErrorEquals = [
        "Lambda.AWSLambdaException", "Lambda.ClientExecutionTimeoutException", "Lambda.SdkClientException",
        "Lambda.ServiceException", "Lambda.Unknown", "OutOfTimeError", "Sandbox.Timedout", "States.Timeout",
      ]
      IntervalSeconds = 5
      MaxAttempts     = 8
      BackoffRate     = 2
      MaxDelaySeconds = 60
      JitterStrategy  = "FULL"
    },
  ]

  invoke = {
    Type           = "Task"
    Resource       = "arn:${local.home[1]}:states:::lambda:invoke"
    OutputPath     = "$.Payload"
    TimeoutSeconds = var.timeout + 60
    Retry          = local.retry
  }
  function_arn    = aws_lambda_function.this.arn
  logs_executions = var.state_machine_log_level != "OFF"
  own_key         = var.state_machine_kms_key_arn != null

  definition = {
    Comment = "Jobs ${local.purpose}. Input: {\"job\": {\"type\": \"backfill\"}}."
    StartAt = "Plan"
    States = {
      Plan = merge(local.invoke, {
        Parameters = { FunctionName = local.function_arn, Payload = { action = "plan", "job.$" = "$.job" } }
        Next       = "DoUnits"
      })
      DoUnits = {
        Type      = "Map"
        Label     = "units"
        ItemsPath = "$.units"
        ItemSelector = {
          "job.$"  = "$.job"
          "run.$"  = "$$.Execution.Name"
          "unit.$" = "$$.Map.Item.Value"
          position = null
          counts   = {}
        }
        MaxConcurrency        = var.max_concurrency
        ToleratedFailureCount = 0
        ItemProcessor = {
          # Standard executions: an express one lasts at most 5 minutes.
          ProcessorConfig = { Mode = "DISTRIBUTED", ExecutionType = "STANDARD" }
          StartAt         = "Work"
          States = {
            Work = merge(local.invoke, {
              Parameters = { FunctionName = local.function_arn, "Payload.$" = "$" }
              Next       = "IsDone"
            })
            IsDone = {
              Type    = "Choice"
              Choices = [{ Variable = "$.done", BooleanEquals = true, Next = "Done" }]
              Default = "Work"
            }
            Done = { Type = "Succeed", OutputPath = "$.counts" }
          }
        }
        Next = "Sum"
      }
      Sum = merge(local.invoke, {
        Parameters = {
          FunctionName = local.function_arn
          Payload      = { action = "sum", "job.$" = "$$.Execution.Input.job", "counts.$" = "$" }
        }
        End = true
      })
    }
  }
}

resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_284:tracing_mode decides whether function and state machine are traced; by default neither is
  #checkov:skip=CKV_AWS_285:state_machine_log_level decides; a standard execution's history is kept for 90 days anyway

  name       = local.name
  role_arn   = local.state_machine_role_arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)
  publish    = false
  tags       = var.tags

  # Always sent: without the block, a key that was given before would stay.
  encryption_configuration {
    type                              = local.own_key ? "CUSTOMER_MANAGED_KMS_KEY" : "AWS_OWNED_KEY"
    kms_key_id                        = var.state_machine_kms_key_arn
    kms_data_key_reuse_period_seconds = local.own_key ? 300 : null # AWS's default
  }

  logging_configuration {
    level                  = var.state_machine_log_level
    include_execution_data = local.logs_executions && var.state_machine_log_execution_data
    log_destination        = one([for group in aws_cloudwatch_log_group.state_machine : "${group.arn}:*"])
  }

  tracing_configuration {
    enabled = var.tracing_mode == "Active"
  }

  # When Step Functions creates the state machine, it checks that the role may trace and deliver log lines.
  depends_on = [aws_iam_role_policy.state_machine]
}
