# Plan → all units at the same time, each invocation after invocation until it is done → their counts added up. An execution
# that failed is redriven by Step Functions: each unit goes on where it stood.

locals {
  # What passes: throttled or lost invocations, a cluster that is busy or down. Whoever must change something first is told at
  # once: a ConfigurationError isn't retried.
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
  function_arn = aws_lambda_function.this.arn

  definition = {
    Comment = "Jobs for the OpenSearch index ${var.index} of the DynamoDB table ${var.table.name}. Input: {\"job\": {\"type\": \"backfill\"}}."
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
          # Standard executions: an express one may last 5 minutes only.
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
  #checkov:skip=CKV_AWS_284:tracing_mode says whether function and machine are traced; by default neither is
  #checkov:skip=CKV_AWS_285:a standard execution keeps its whole history for 90 days, and the function logs what it does

  name       = local.name
  role_arn   = aws_iam_role.state_machine.arn
  type       = "STANDARD"
  definition = jsonencode(local.definition)
  publish    = false
  tags       = var.tags

  logging_configuration {
    level                  = "OFF"
    include_execution_data = false
  }

  tracing_configuration {
    enabled = var.tracing_mode == "Active"
  }

  # Step Functions looks while it makes the machine whether the role may trace.
  depends_on = [aws_iam_role_policy.state_machine]
}
