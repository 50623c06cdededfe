# Rules that no item can meet: conditions that are fine one by one may exclude each other; and a key is in every item,
# is no map, and has one type. Such an index would stay empty, so the function's precondition refuses it.

locals {
  key_types = {
    for attribute in coalesce(var.table.attribute, []) : attribute.name => attribute.type
    if contains(local.key_names, attribute.name)
  }

  conditions = flatten([for name, projection in local.projections : [for condition in try(projection.when, []) : {
    index       = name
    attribute   = condition.attribute
    where       = "${name}: ${condition.attribute}"
    begins_with = try(condition.begins_with, null)
    equals      = try(condition.equals, null)
    exists      = try(condition.exists, null)
    not_equals  = try(condition.not_equals, [])
    is_there    = try(condition.exists, !can(condition.not_equals))
  }]])
  pairs = flatten([for condition in local.conditions : [
    for other in local.conditions : { condition = condition, other = other } if condition.index == other.index
  ]])

  contradictions = distinct(concat(
    [
      for condition in local.conditions : "${condition.where} is a key, and every item has it"
      if condition.exists == false && contains(local.key_names, condition.attribute)
    ],
    flatten([for key in local.key_names : [
      for condition in local.conditions : "${condition.where} is below the key ${key}, which is no map"
      if condition.is_there && startswith(condition.attribute, "${key}.")
    ]]),
    [
      for condition in local.conditions : "${condition.where} is a key of numbers or binary, and begins with nothing"
      if condition.begins_with != null && lookup(local.key_types, condition.attribute, "S") != "S"
    ],
    [
      for condition in local.conditions : "${condition.where} is a key of binary, and equals nothing"
      if condition.equals != null && lookup(local.key_types, condition.attribute, "S") == "B"
    ],
    [
      for condition in local.conditions : "${condition.where} is a key of numbers, and equals none"
      if lookup(local.key_types, condition.attribute, "S") == "N"
      && try(!can(regex("[0-9]", join(" ", condition.equals))), false)
    ],
    [
      for pair in local.pairs : "${pair.condition.where} is missing, but ${pair.other.attribute} is there"
      if pair.condition.exists == false
      && pair.other.is_there
      && startswith("${pair.other.attribute}.", "${pair.condition.attribute}.")
    ],
    [
      for pair in local.pairs : "${pair.condition.where} is no map, but ${pair.other.attribute} is there"
      if(pair.condition.equals != null || pair.condition.begins_with != null)
      && pair.other.is_there
      && startswith(pair.other.attribute, "${pair.condition.attribute}.")
    ],
    [
      for pair in local.pairs :
      "${pair.condition.where} begins with ${pair.condition.begins_with} and with ${pair.other.begins_with}"
      if pair.condition.attribute == pair.other.attribute
      && pair.condition.begins_with != null
      && pair.other.begins_with != null
      && try(!startswith(pair.condition.begins_with, pair.other.begins_with), false)
      && try(!startswith(pair.other.begins_with, pair.condition.begins_with), false)
    ],
    # A value is left if each condition on the attribute takes it; the number 7 is both "7" and "7.0".
    [
      for condition in local.conditions :
      "${condition.where} equals one of ${jsonencode(condition.equals)}, but its other conditions exclude each"
      if condition.equals != null
      && length([
        for value in coalesce(condition.equals, []) : value if alltrue([
          for other in local.conditions : (
            try(startswith(value, other.begins_with), true)
            && try(anytrue([
              for same in other.equals : same == value || try(tonumber(same) == tonumber(value), false)
            ]), true)
            && !contains(other.not_equals, value)
          ) if condition.index == other.index && condition.attribute == other.attribute
        ])
      ]) == 0
    ],
  ))
}
