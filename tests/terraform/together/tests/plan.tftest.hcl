# The modules fit together: each takes the root module as a whole, both while the plan doesn't know its ARNs and when
# they are known.

mock_provider "aws" {
  source = "../sync/mocks"
}

override_resource {
  target = module.table["bucket"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-bucket"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-bucket/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.table["queue"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-queue"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-queue/stream/2025-01-01T00:00:00.000"
  }
}

override_resource {
  target = module.table["topic"].aws_dynamodb_table.this
  values = {
    arn        = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-topic"
    stream_arn = "arn:aws:dynamodb:eu-west-1:111122223333:table/products-topic/stream/2025-01-01T00:00:00.000"
  }
}

run "a_plan_before_anything_exists" {
  command = plan

  assert {
    condition     = length(output.alarms.queue) == 14 && length(output.alarms.topic) == 12
    error_message = "The alarms are ${jsonencode(output.alarms)}."
  }

  # Two indices with one rule about the table's string key.
  assert {
    condition = (
      output.filters == { bucket = 1, queue = 0, topic = 0 }
      && output.indices.bucket == tolist(["orders", "products"])
    )
    error_message = "The patterns are ${jsonencode(output.filters)}, the indices ${jsonencode(output.indices)}."
  }
}

run "an_apply" {
  assert {
    condition = { for name, jobs in output.commands : name => contains(jobs, "redrive") } == {
      bucket = true
      queue  = true
      topic  = false
    }
    error_message = "The jobs are ${jsonencode(output.commands)}."
  }
}
