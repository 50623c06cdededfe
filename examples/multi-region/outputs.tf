output "function_name" {
  description = "Name of the function, the same in both Regions."
  value       = module.sync.function_name
}

output "role_arns" {
  description = "Region -> ARN of the role that writes its index; a role's name is unique in all Regions of an account."
  value = {
    (var.region)         = module.sync.role_arn
    (var.replica_region) = module.sync_replica.role_arn
  }
}

output "stream_arns" {
  description = "Region -> ARN of the stream that its sync reads."
  value = {
    (var.region)         = module.sync.stream_arn
    (var.replica_region) = module.sync_replica.stream_arn
  }
}

output "table_name" {
  description = "Name of the table, the same in both Regions."
  value       = aws_dynamodb_table.products.name
}
