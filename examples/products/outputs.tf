# All that a script needs to use the example: terraform output -json

output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "event_source_mapping_uuid" {
  description = "UUID of the event source mapping."
  value       = module.sync.event_source_mapping_uuid
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "index" {
  description = "Index that holds the products."
  value       = module.sync.index
}

output "log_group_name" {
  description = "Log group of the function."
  value       = module.sync.log_group_name
}

output "opensearch_endpoint" {
  description = "URL of OpenSearch."
  value       = module.sync.opensearch_endpoint
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.name
}
