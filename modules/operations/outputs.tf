locals {
  jobs = merge(
    { for type in ["backfill", "create-index", "repair", "verify"] : type => { type = type } },
    local.redriven ? { redrive = { type = "redrive" } } : {},
    var.export_bucket == null ? {} : { load = { type = "load", exports = ["EXPORT-ARN"] } },
  )
}

output "commands" {
  description = "Command lines of the AWS CLI: one to start each job, and list, which shows the latest jobs."
  value = merge(
    {
      for name, job in local.jobs : name => join(" ", [
        "aws stepfunctions start-execution",
        "--state-machine-arn ${aws_sfn_state_machine.this.arn}",
        "--input '${jsonencode({ job = job })}'",
      ])
    },
    {
      list = join(" ", [
        "aws stepfunctions list-executions",
        "--state-machine-arn ${aws_sfn_state_machine.this.arn}",
        "--max-items 10",
      ])
    },
  )
}

output "function_arn" {
  description = "ARN of the operator function."
  value       = aws_lambda_function.this.arn
}

output "function_name" {
  description = "Name of the operator function, and the value of the dimension Sync of its metrics."
  value       = aws_lambda_function.this.function_name
}

output "log_group_name" {
  description = "Name of the function's log group, which holds the differences that verify finds."
  value       = aws_cloudwatch_log_group.this.name
}

output "policy" {
  description = "The IAM policy (JSON) that the function's role needs: attach it to a role of your own."
  value       = data.aws_iam_policy_document.function.json
}

output "role_arn" {
  description = <<-EOT
    ARN of the function's role, created here or given: for a domain's access policy, an OpenSearch role mapping, a
    collection's data access policy.
  EOT
  value       = local.role_arn
}

output "role_name" {
  description = "Name of the function's role, created here or given."
  value       = local.role_name
}

output "state_machine_arn" {
  description = "ARN of the state machine: start it with {\"job\": {\"type\": \"backfill\"}}."
  value       = aws_sfn_state_machine.this.arn
}

output "state_machine_log_group_name" {
  description = "Name of the state machine's log group; null if it has none."
  value       = one(aws_cloudwatch_log_group.state_machine[*].name)
}

output "state_machine_policy" {
  description = "The IAM policy (JSON) that the state machine's role needs: attach it to a role of your own."
  value       = data.aws_iam_policy_document.state_machine.json
}

output "state_machine_role_arn" {
  description = "ARN of the state machine's role, created here or given."
  value       = local.state_machine_role_arn
}

output "state_machine_role_name" {
  description = "Name of the state machine's role, created here or given."
  value       = local.state_machine_role_name
}
