output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "role_arn" {
  description = "ARN of the function's role, for a role mapping where the domain has fine-grained access control."
  value       = module.sync.role_arn
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.dynamodb_table_id
}
