output "commands" {
  description = "What to run to start each job, and to see how the last ones went: command lines of the AWS CLI."
  value = merge(
    { for type in ["backfill", "verify", "repair", "create-index"] : type => "aws stepfunctions start-execution --state-machine-arn ${aws_sfn_state_machine.this.arn} --input '${jsonencode({ job = { type = type } })}'" },
    var.failure_destination == null ? {} : { redrive = "aws stepfunctions start-execution --state-machine-arn ${aws_sfn_state_machine.this.arn} --input '${jsonencode({ job = { type = "redrive" } })}'" },
    var.export_bucket == null ? {} : { load = "aws stepfunctions start-execution --state-machine-arn ${aws_sfn_state_machine.this.arn} --input '${jsonencode({ job = { type = "load", exports = ["EXPORT-ARN"] } })}'" },
    { list = "aws stepfunctions list-executions --state-machine-arn ${aws_sfn_state_machine.this.arn} --max-items 10" },
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
  description = "Name of the function's log group: what verify finds stands there."
  value       = aws_cloudwatch_log_group.this.name
}

output "role_arn" {
  description = "ARN of the function's role: for a domain's access policy, a role mapping, a collection's data access policy."
  value       = aws_iam_role.function.arn
}

output "state_machine_arn" {
  description = "ARN of the state machine: start it with {\"job\": {\"type\": \"backfill\"}}."
  value       = aws_sfn_state_machine.this.arn
}
