output "domain_arn" {
  description = "ARN of the domain that the function writes to; null for a collection or another OpenSearch."
  value       = module.sync.domain_arn
}

output "event_source_mapping_arn" {
  description = "ARN of the event source mapping."
  value       = module.sync.event_source_mapping_arn
}

output "event_source_mapping_uuid" {
  description = "UUID of the event source mapping: the dimension EventSourceMappingUUID of its metrics."
  value       = module.sync.event_source_mapping_uuid
}

output "failure_destination_arn" {
  description = "ARN of the queue, topic or bucket that holds dead letters and AWS's own failure records."
  value       = module.sync.failure_destination_arn
}

output "failure_destination_type" {
  description = "What the failure destination is: sqs, sns or s3."
  value       = module.sync.failure_destination_type
}

output "failure_destination_url" {
  description = "URL of the failure destination when it is a queue, else null."
  value       = module.sync.failure_destination_url
}

output "function_arn" {
  description = "ARN of the function."
  value       = module.sync.function_arn
}

output "function_name" {
  description = "Name of the function, and the value of the dimension Sync of its own metrics."
  value       = module.sync.function_name
}

output "index" {
  description = "Index, or alias, that is kept equal to the table."
  value       = module.sync.index
}

output "log_group_arn" {
  description = "ARN of the function's log group."
  value       = module.sync.log_group_arn
}

output "log_group_name" {
  description = "Name of the function's log group."
  value       = module.sync.log_group_name
}

output "metrics" {
  description = "Metrics of the mapping itself that are switched on."
  value       = module.sync.metrics
}

output "opensearch_endpoint" {
  description = "URL that the function writes to."
  value       = module.sync.opensearch_endpoint
}

output "policy" {
  description = "The IAM policy (JSON) that the function's role needs: attach it to a role that you give."
  value       = module.sync.policy
}

output "role_arn" {
  description = "ARN of the function's role, made or given: for a domain's access policy, a role mapping, a collection's data access policy."
  value       = module.sync.role_arn
}

output "stream_arn" {
  description = "ARN of the stream that is read."
  value       = module.sync.stream_arn
}

output "timeout" {
  description = "How long one invocation may take, in seconds."
  value       = module.sync.timeout
}
