output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "secret_arn" {
  description = "ARN of the secret: put user name and password in."
  value       = aws_secretsmanager_secret.search.arn
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.name
}
