output "dead_letter_urls" {
  description = "Index -> URL of the queue with the documents that OpenSearch refused."
  value       = { for index, sync in module.sync : index => sync.failure_destination_url }
}

output "function_names" {
  description = "Index -> name of the function that writes it."
  value       = { for index, sync in module.sync : index => sync.function_name }
}

output "role_arns" {
  description = <<-EOT
    Index -> ARN of the role that writes it, for a role mapping where the domain has fine-grained access control.
  EOT
  value       = { for index, sync in module.sync : index => sync.role_arn }
}
