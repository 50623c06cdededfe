output "dead_letter_urls" {
  description = "Index -> URL of the queue with the documents that OpenSearch refused."
  value       = { for index, sync in module.sync : index => sync.failure_destination_url }
}

output "function_names" {
  description = "Index -> name of the function that writes it."
  value       = { for index, sync in module.sync : index => sync.function_name }
}

output "opensearch_endpoint" {
  description = "URL of OpenSearch."
  value       = one(distinct([for sync in module.sync : sync.opensearch_endpoint]))
}

output "table_names" {
  description = "Index -> name of the table that it follows."
  value       = { for index, table in module.table : index => table.name }
}
