output "collection_endpoint" {
  description = "URL of the collection."
  value       = module.sync.opensearch_endpoint
}

output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.name
}
