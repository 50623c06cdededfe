output "clients_security_group_id" {
  description = "Security group that lets a service, or a shell, in the VPC reach the domain."
  value       = aws_security_group.this["clients"].id
}

output "dead_letter_url" {
  description = "URL of the queue with the documents that OpenSearch refused."
  value       = module.sync.failure_destination_url
}

output "function_name" {
  description = "Name of the function."
  value       = module.sync.function_name
}

output "opensearch_endpoint" {
  description = "URL of the domain, inside the VPC."
  value       = module.sync.opensearch_endpoint
}

output "role_arn" {
  description = "ARN of the function's role, which OpenSearch's role is mapped to."
  value       = module.sync.role_arn
}

output "setup" {
  description = <<-EOT
    Commands that set the domain up, for a shell inside the VPC: the sync's OpenSearch role, its role mapping, and the
    index.
  EOT
  value = templatefile("${path.module}/setup.sh.tftpl", {
    endpoint = module.sync.opensearch_endpoint
    index    = module.sync.index
    region   = data.aws_region.current.id
    role_arn = module.sync.role_arn
  })
}

output "table_name" {
  description = "Name of the table."
  value       = module.products.name
}

output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}
