# What the function's indices hold of the table: INDEX for one index of whole items, else INDICES, as short as it can
# be. Lambda takes 4 KB of environment in all: what is long is compressed, and what is still long is kept by Systems
# Manager.

locals {
  indices = sort(concat(var.index[*], keys(var.indices)))

  # Without nulls and defaults.
  projections = {
    for name, index in var.indices : name => {
      for member, value in {
        constants = try({ for field, value in index.constants : field => value }, null)
        exclude   = try([for attribute in tolist(index.exclude) : tostring(attribute)], null)
        include   = try([for attribute in tolist(index.include) : tostring(attribute)], null)
        rename    = try({ for attribute, field in tomap(index.rename) : attribute => tostring(field) }, null)
        standby   = try(tobool(index.standby), null)
        transform = try(tostring(index.transform), null)
        when = [for condition in try(index.when, null)[*] : {
          for operand, value in {
            attribute   = tostring(condition.attribute)
            begins_with = try(tostring(condition.begins_with), null)
            equals      = try([for text in tolist(condition.equals) : tostring(text)], null)
            exists      = try(tobool(condition.exists), null)
            not_equals  = try([for text in tolist(condition.not_equals) : tostring(text)], null)
          } : operand => value if value != null
        }]
      } : member => value if !contains(["null", "false", "[]", "{}"], jsonencode(value))
    }
  }
  transforms = anytrue([for projection in local.projections : can(projection.transform)])

  # Rules that no item can meet, as sentences.
  key_types = {
    for attribute in coalesce(var.table.attribute, []) : attribute.name => attribute.type
    if contains(local.key_names, attribute.name)
  }
  contradictions = distinct(flatten([for name, projection in local.projections : [
    for condition in try(projection.when, []) : concat(
      [for key in local.key_names : "${name}: ${key} is a key, and every item has it" if(
        condition.attribute == key && try(condition.exists, true) == false
      )],
      [for key in local.key_names : "${name}: ${condition.attribute} is below the key ${key}, which is no map" if(
        startswith(condition.attribute, "${key}.")
      )],
      [for type in try([local.key_types[condition.attribute]], []) : (
        "${name}: ${condition.attribute} is a key of type ${type}, and only a string (S) begins with something"
      ) if type != "S" && can(condition.begins_with)],
      [for type in try([local.key_types[condition.attribute]], []) : (
        "${name}: ${condition.attribute} is a key of type ${type}, which equals none of ${jsonencode(condition.equals)}"
      ) if can(condition.equals) && (type == "B" || (type == "N" && !can(regex("[0-9]", join("", condition.equals)))))],
      flatten([for other in projection.when : [
        [for path in [condition.attribute] : "${name}: ${path} is missing, but ${other.attribute} is there" if(
          try(condition.exists, true) == false
          && try(other.exists, !can(other.not_equals))
          && (other.attribute == path || startswith(other.attribute, "${path}."))
        )],
        [for path in [condition.attribute] : "${name}: ${path} is no map, but ${other.attribute} is there" if(
          (can(condition.equals) || can(condition.begins_with))
          && try(other.exists, !can(other.not_equals))
          && startswith(other.attribute, "${path}.")
        )],
        [for prefix in try([condition.begins_with], []) : (
          "${name}: ${condition.attribute} begins with ${jsonencode(prefix)} and with ${jsonencode(other.begins_with)}"
          ) if(
          other.attribute == condition.attribute
          && can(other.begins_with)
          && !try(startswith(prefix, other.begins_with) || startswith(other.begins_with, prefix), true)
        )],
      ]]),
      [for values in try([condition.equals], []) : (
        "${name}: ${condition.attribute} equals one of ${jsonencode(values)}, but its other conditions exclude each"
        ) if !anytrue([for value in values : alltrue([
          for other in projection.when : (
            !contains(try(other.not_equals, []), value)
            && try(startswith(value, other.begins_with), true)
            && try(contains(other.equals, value) || anytrue([
              for same in other.equals : try(tonumber(same) == tonumber(value), false)
            ]), true)
          ) if other.attribute == condition.attribute
      ])])],
    )
  ]]))

  projections_json = jsonencode(local.projections)
  projections_gzip = base64gzip(local.projections_json)

  # In bytes, which is what Lambda and Systems Manager count: base64 has 4 characters for 3 of them.
  projections_json_bytes = floor(length(replace(base64encode(local.projections_json), "=", "")) * 3 / 4)
  projections_parameter  = local.projections_json_bytes > 2000 && length(local.projections_gzip) > 2600

  projections_value = (
    local.projections_parameter ? one(aws_ssm_parameter.projections[*].arn)
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
  }
}
