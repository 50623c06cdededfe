# What the function's indices hold of the table: INDEX for one index of whole items, else INDICES, as short as it can
# be. Lambda takes 4 KB of environment in all: what is long is compressed, and what is still long is kept by Systems
# Manager.

locals {
  indices = local.projected ? sort(keys(var.indices)) : [var.index]

  # Without nulls and defaults.
  projections = {
    for name, index in var.indices : name => {
      for member, value in {
        constants = try({ for field, value in index.constants : field => value }, null)
        exclude   = try([for attribute in index.exclude : tostring(attribute)], null)
        include   = try([for attribute in index.include : tostring(attribute)], null)
        rename    = try({ for attribute, field in index.rename : attribute => tostring(field) }, null)
        standby   = try(tobool(index.standby), null)
        transform = try(tostring(index.transform), null)
        when = [for condition in try(index.when, null)[*] : {
          for operand, value in {
            attribute   = tostring(condition.attribute)
            begins_with = try(tostring(condition.begins_with), null)
            equals      = try([for text in condition.equals : tostring(text)], null)
            exists      = try(tobool(condition.exists), null)
            not_equals  = try([for text in condition.not_equals : tostring(text)], null)
          } : operand => value if value != null
        }]
      } : member => value if !contains(["null", "false", "[]", "{}"], jsonencode(value))
    }
  }
  projected = length(local.projections) > 0

  projections_json = jsonencode(local.projections)
  projections_gzip = base64gzip(local.projections_json)

  # In bytes, which is what Lambda and Systems Manager count: base64 has 4 characters for 3 of them.
  projections_json_bytes = floor(length(replace(base64encode(local.projections_json), "=", "")) * 3 / 4)
  projections_parameter  = local.projections_json_bytes > 2000 && length(local.projections_gzip) > 2600

  projections_value = (
    local.projections_parameter ? one(local.indices_parameter_arns)
    : local.projections_json_bytes > 2000 ? local.projections_gzip : local.projections_json
  )
}

# Another content has another name: a function that still runs with the old one never reads the new one. The name starts
# with a word of its own: Systems Manager refuses names that start with aws or ssm, as a table's name may.
resource "aws_ssm_parameter" "projections" {
  #checkov:skip=CKV2_AWS_34:it holds names of attributes and fields, as the function's environment does, and no secrets
  count = local.projections_parameter ? 1 : 0

  name           = "indices-${local.name}-${substr(sha256(local.projections_json), 0, 8)}"
  description    = "What each OpenSearch index of the Lambda function ${local.name} holds: JSON, by gzip and base64."
  type           = "String"
  data_type      = "text"
  tier           = length(local.projections_gzip) > 4096 ? "Advanced" : "Standard" # Standard is free of charge
  insecure_value = local.projections_gzip                                          # `value` would be for secrets
  tags           = var.tags

  lifecycle {
    create_before_destroy = true

    precondition {
      condition = length(local.projections_gzip) <= 8192
      error_message = join(" ", [
        "indices has ${local.projections_json_bytes} bytes as JSON,",
        "${length(local.projections_gzip)} after gzip and base64, and Systems Manager keeps 8192: shorten its lists,",
        "or give several syncs a part of the indices each.",
      ])
    }

    precondition {
      condition = !var.publish
      error_message = join(" ", [
        "publish is ${var.publish} and indices has ${local.projections_json_bytes} bytes as JSON, which only a",
        "parameter holds: an earlier version's parameter would be gone when you roll back to it. Shorten indices, or",
        "leave publish out.",
      ])
    }
  }
}
