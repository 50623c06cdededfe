output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "policy" {
  description = "The policy (JSON) that the role needs: what the team that owns the role has to review."
  value       = module.sync.policy
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.name
}
