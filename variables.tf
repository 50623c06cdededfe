# modules/sync's own variables. Null is passed on to it, where each default and each check stands, once.

variable "index" {
  type        = string
  description = "Index, or alias, that is kept equal to the table. Needs to be in lower case; OpenSearch makes it at the first write if it isn't there and the domain allows that."
  nullable    = false
}

variable "table" {
  type = object({
    name           = string
    arn            = string
    stream_arn     = string
    hash_key       = string
    range_key      = optional(string)
    stream_enabled = optional(bool)
    server_side_encryption = optional(list(object({
      enabled     = bool
      kms_key_arn = optional(string)
    })))
  })
  description = "The DynamoDB table, with a stream of any view type: an aws_dynamodb_table resource or data source, or this repository's modules/table, as a whole. For another account's table: an object with these attributes."
  nullable    = false
}

variable "architectures" {
  type        = list(string)
  description = "The function's instruction set: [\"arm64\"] (default: a fifth cheaper) or [\"x86_64\"]. The package runs on both."
  default     = null
}

variable "batch_size" {
  type        = number
  description = "Most stream records per invocation: 1 to 10000 (default: 1000, what one read of a shard brings; AWS's own default of 100 makes ten times as many invocations, each with requests of its own)."
  default     = null
}

variable "bisect_batch_on_function_error" {
  type        = bool
  description = "Whether Lambda halves a batch whose invocation failed or ran out of time (default: true: a smaller batch may fit where the whole one did not; halving uses up no retries)."
  default     = null
}

variable "bulk_actions" {
  type        = number
  description = "Most documents per bulk request: 1 to 10000 (default: 500: a full batch keeps both connections busy)."
  default     = null
}

variable "bulk_bytes" {
  type        = number
  description = "Most bytes per bulk request: 65536 to 10485760 (default: 3145728, the 3 MiB that AWS advises; small instance types take 10 MiB at most)."
  default     = null
}

variable "bulk_connections" {
  type        = number
  description = "Bulk requests under way at the same time in one invocation: 1 to 8 (default: 2: one is encoded while the other is answered)."
  default     = null
}

variable "code_signing_config_arn" {
  type        = string
  description = "ARN of a code signing configuration, for a package that you signed (s3_bucket, s3_key). Null (default): none."
  default     = null
}

variable "collection" {
  type = object({
    arn                 = string
    collection_endpoint = string
  })
  description = "The OpenSearch Serverless collection, of type SEARCH: an aws_opensearchserverless_collection as a whole. Its data access and network policies must let the role in. One of domain, collection and opensearch_endpoint."
  default     = null
}

variable "compression" {
  type        = string
  description = "Of bulk requests: none (default: fastest within a Region) or gzip (fewer bytes, more of the function's time)."
  default     = null
}

variable "conflict_window_seconds" {
  type        = number
  description = "How far apart AWS's clocks may stamp two changes of one item, in seconds: 10 to 3600 (default: 60). Closer conflicts are settled by reading the item."
  default     = null
}

variable "domain" {
  type = object({
    arn      = string
    endpoint = string
  })
  description = "The OpenSearch domain: an aws_opensearch_domain resource or data source as a whole. With a custom endpoint: { arn = …, endpoint = \"search.example.com\" }. One of domain, collection and opensearch_endpoint."
  default     = null
}

variable "enabled" {
  type        = bool
  description = "Whether Lambda reads the stream (default: true). Switched off it stops, and goes on where it stopped, if within the stream's 24 hours."
  default     = null
}

variable "environment_variables" {
  type        = map(string)
  description = "More environment variables for the function, such as AWS_ENDPOINT_URL_DYNAMODB. Not those that this module sets, nor those that Lambda keeps for itself."
  default     = null
}

variable "failure_destination" {
  type = object({
    arn = string
    url = optional(string)
  })
  description = "Where dead letters go, and AWS's own records of batches that were given up: an aws_sqs_queue (standard), aws_sns_topic (standard) or aws_s3_bucket as a whole. Null (default): one of failure_destination_type is made."
  default     = null
}

variable "failure_destination_expiration_days" {
  type        = number
  description = "After how many days a made bucket (failure_destination_type s3) deletes what it holds: 1 to 3650 (default: 90). A made queue keeps messages for SQS's maximum of 14 days."
  default     = null
}

variable "failure_destination_force_destroy" {
  type        = bool
  description = "Whether a destroy may delete a made bucket that still holds failures (default: false: they may be all that tells of a lost change)."
  default     = null
}

variable "failure_destination_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of the failure destination. A made one is encrypted with it; for a given one the role gets the rights to use it. Null (default): the service's own key."
  default     = null
}

variable "failure_destination_redrive_policy" {
  type = object({
    dead_letter_target_arn = string
    max_receive_count      = number
  })
  description = "Second queue (standard, of the same account and Region) that takes over what was received max_receive_count times from a made queue. Null (default): none. A redrive receives a message again and again while OpenSearch still refuses its document; a second queue would take it out of sight of what watches and redrives the first."
  default     = null
}

variable "failure_destination_type" {
  type        = string
  description = "What to make when no failure_destination is given: sqs (default: can be redriven message by message), sns, or s3 (AWS's own records then hold the whole event, not just a pointer into the stream that is dead after 24 hours)."
  default     = null
}

variable "filename" {
  type        = string
  description = "Path of another package (zip) for the function, such as one with your own transform. Null (default): the one that comes with this module."
  default     = null
}

variable "filters" {
  type        = list(string)
  description = "Patterns (JSON) that a record must match one of to reach the function; AWS allows 5, and 10 on request. A record that is filtered out never changes the index: filter only what is never indexed, or the index stops being equal to the table."
  default     = null
}

variable "filters_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the filters (the mapping's kms_key_arn). Null (default): AWS's own key."
  default     = null
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the function's environment. Null (default): AWS's own key; the environment holds no secrets."
  default     = null
}

variable "layers" {
  type        = list(string)
  description = "ARNs of layer versions for the function, at most 5: for a CA file (opensearch_ca_file) or an extension."
  default     = null
}

variable "log_format" {
  type        = string
  description = "JSON (default: Lambda's own lines are JSON too, so that Logs Insights reads all of them) or Text."
  default     = null
}

variable "log_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the log group; its key policy must let CloudWatch Logs use it. Null (default): CloudWatch's own key; logs hold no item contents."
  default     = null
}

variable "log_level" {
  type        = string
  description = "What the function logs: DEBUG, INFO (default), WARNING or ERROR. Metrics are written whatever it is."
  default     = null
}

variable "log_retention_in_days" {
  type        = number
  description = "After how many days CloudWatch deletes log lines (default: 30); 0 keeps them for ever."
  default     = null
}

variable "maximum_batching_window_in_seconds" {
  type        = number
  description = "How long Lambda waits for a batch to fill, in seconds: 0 to 300 (default: 0, AWS's own: a change is searchable at once). Records are never held back longer, whatever batch_size is."
  default     = null
}

variable "maximum_record_age_in_seconds" {
  type        = number
  description = "After how many seconds Lambda gives a record up: 60 to 604800, or -1 (default) for never: OpenSearch is waited for, as long as the stream holds the record, which is 24 hours."
  default     = null
}

variable "maximum_retry_attempts" {
  type        = number
  description = "How often Lambda retries a batch before it gives it up: 0 to 10000, or -1 (default) for as long as the stream holds it. No record blocks for that long: the function itself sets aside what OpenSearch refuses for good, so retries only ever wait for a cluster that is down or busy, or for a fault of the configuration."
  default     = null
}

variable "memory_size" {
  type        = number
  description = "The function's memory in MB, and with it its share of a processor: 128 to 10240 (default: 512)."
  default     = null
}

variable "metrics" {
  type        = set(string)
  description = "Metrics of the mapping itself: [\"EventCount\"] (default: only these show records that were filtered out, given up or not delivered) or [] for none."
  default     = null
}

variable "name" {
  type        = string
  description = "Name of the function, and the stem of the names of all that belongs to it: 1 to 64 of a-z A-Z 0-9 _ - characters. Null (default): the table's name, followed by -opensearch-sync. Two syncs of one table need names of their own."
  default     = null
}

variable "name_prefix" {
  type        = string
  description = "Start of the name when none is given, such as team-prod-: up to 32 of a-z A-Z 0-9 _ - characters, followed by the table's name and -opensearch-sync (default: \"\"). Nothing random follows: Lambda makes up no names."
  default     = null
}

variable "opensearch_auth" {
  type        = string
  description = "How the function proves who it is: sigv4 (default: with its role; needs domain or collection), basic (user and password from opensearch_secret_arn) or none."
  default     = null
}

variable "opensearch_ca_file" {
  type        = string
  description = "Path of a PEM file in the package or a layer (/opt/…) with the CA that signed OpenSearch's certificate. Null (default): the public CAs."
  default     = null
}

variable "opensearch_endpoint" {
  type        = string
  description = "URL of an OpenSearch that is neither a domain nor a collection of yours, with opensearch_auth basic or none. One of domain, collection and opensearch_endpoint."
  default     = null
}

variable "opensearch_secret_arn" {
  type        = string
  description = "ARN of the Secrets Manager secret for opensearch_auth basic: JSON with username and password."
  default     = null
}

variable "opensearch_secret_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the secret. Null (default): it is encrypted with AWS's own key."
  default     = null
}

variable "parallelization_factor" {
  type        = number
  description = "Batches of one shard that are under way at the same time: 1 to 10 (default: 1: a shard takes at most 1,000 writes a second, and one invocation writes more than that; a batch that holds more changes of an item also writes it less often). Order per item is kept whatever it is."
  default     = null
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds the role that is made. Null (default): none."
  default     = null
}

variable "request_timeout_seconds" {
  type        = number
  description = "How long the function waits for the answer to one request to OpenSearch, in seconds: 1 to 300, and less than timeout (default: 20)."
  default     = null
}

variable "reserved_concurrent_executions" {
  type        = number
  description = "Invocations that are kept for, and the most allowed to, this function; -1 (default) for no reservation, 0 stops it. Lambda runs one invocation per shard and parallelization_factor."
  default     = null
}

variable "role" {
  type = object({
    arn = string
  })
  description = "The function's role: an aws_iam_role as a whole, to which you attach the output policy. Null (default): one is made, with exactly that policy."
  default     = null
}

variable "role_name" {
  type        = string
  description = "Name of the role that is made: 1 to 64 of a-z A-Z 0-9 + = , . @ _ - characters. Null (default): the sync's name, completed by AWS, so that syncs of the same name fit into two Regions."
  default     = null
}

variable "role_path" {
  type        = string
  description = "Path of the role that is made, such as /service/ (default: \"/\")."
  default     = null
}

variable "runtime" {
  type        = string
  description = "The function's Python: python3.11, python3.12 or python3.13 (default: supported by AWS the longest)."
  default     = null
}

variable "s3_bucket" {
  type        = string
  description = "Bucket of another package (zip) for the function, with s3_key. Null (default): the package that comes with this module."
  default     = null
}

variable "s3_key" {
  type        = string
  description = "Key of the package in s3_bucket."
  default     = null
}

variable "s3_object_version" {
  type        = string
  description = "Version of the package in s3_bucket. Null (default): the newest when it is deployed."
  default     = null
}

variable "source_code_hash" {
  type        = string
  description = "SHA-256 of the package in s3_bucket, base64: another one deploys it again. Null (default): only another s3_key or s3_object_version does. Files are hashed here."
  default     = null
}

variable "starting_position" {
  type        = string
  description = "Where in the stream a new mapping starts: TRIM_HORIZON (default: with all that the stream holds; AWS's advice, for LATEST misses what is written while the mapping is made) or LATEST. Another one replaces the mapping, which then starts there again."
  default     = null
}

variable "system_log_level" {
  type        = string
  description = "What Lambda itself logs, with log_format JSON: DEBUG, INFO (default: start and report of each invocation) or WARN (neither)."
  default     = null
}

variable "tags" {
  type        = map(string)
  description = "Tags of all that is made here."
  default     = null
}

variable "timeout" {
  type        = number
  description = "How long one invocation may take, in seconds: 2 to 900 (default: 120: time to retry within the invocation while a busy cluster recovers, and short enough that a hung one does not hold its shard)."
  default     = null
}

variable "tracing_mode" {
  type        = string
  description = "AWS X-Ray: PassThrough (default: off, as nothing upstream of a stream traces) or Active."
  default     = null
}

variable "tumbling_window_in_seconds" {
  type        = number
  description = "Length of Lambda's aggregation windows, in seconds: 0 to 900 (default: 0, none: a sync aggregates nothing and gains nothing from them)."
  default     = null
}

variable "vpc_config" {
  type = object({
    subnet_ids                  = set(string)
    security_group_ids          = set(string)
    ipv6_allowed_for_dual_stack = optional(bool, false)
  })
  description = "Subnets and security groups that the function runs in, to reach a domain or a self-managed OpenSearch in a VPC. It needs a way to DynamoDB, to the failure destination and, with basic, to Secrets Manager from there: VPC endpoints or a NAT. Null (default): no VPC."
  default     = null
}
