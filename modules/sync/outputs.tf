output "domain_arn" {
  description = "ARN of the domain that the function writes to; null for a collection or another OpenSearch."
  value       = try(var.domain.arn, null)
}

output "event_source_mapping_arn" {
  description = "ARN of the event source mapping."
  value       = aws_lambda_event_source_mapping.this.arn
}

output "event_source_mapping_uuid" {
  description = "UUID of the event source mapping: the dimension EventSourceMappingUUID of its metrics."
  value       = aws_lambda_event_source_mapping.this.uuid
}

output "failure_destination_arn" {
  description = "ARN of the queue, topic or bucket that holds dead letters and AWS's own failure records."
  value       = local.failure_destination_arn
}

output "failure_destination_type" {
  description = "What the failure destination is: sqs, sns or s3."
  value       = local.failure_destination_type
}

output "failure_destination_url" {
  description = "URL of the failure destination when it is a queue, else null."
  value       = local.failure_destination_url
}

output "function_arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "function_name" {
  description = "Name of the function, and the value of the dimension Sync of its own metrics."
  value       = aws_lambda_function.this.function_name
}

output "index" {
  description = "Index, or alias, that is kept equal to the table."
  value       = var.index
}

output "log_group_arn" {
  description = "ARN of the function's log group."
  value       = aws_cloudwatch_log_group.this.arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}

output "metrics" {
  description = "Metrics of the mapping itself that are switched on."
  value       = var.metrics
}

output "opensearch_endpoint" {
  description = "URL that the function writes to."
  value       = local.endpoint
}

output "policy" {
  description = "The IAM policy (JSON) that the function's role needs: attach it to a role that you give."
  value       = data.aws_iam_policy_document.this.json
}

output "role_arn" {
  description = "ARN of the function's role, made or given: for a domain's access policy, a role mapping, a collection's data access policy."
  value       = local.role_arn
}

output "stream_arn" {
  description = "ARN of the stream that is read."
  value       = var.table.stream_arn
}

output "timeout" {
  description = "How long one invocation may take, in seconds."
  value       = aws_lambda_function.this.timeout
}
