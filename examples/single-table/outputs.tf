output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "indices" {
  description = "Names of the indices."
  value       = module.sync.indices
}

output "opensearch_endpoint" {
  description = "URL of OpenSearch."
  value       = module.sync.opensearch_endpoint
}

output "table_name" {
  description = "Name of the table."
  value       = module.shop.name
}
