variable "index" {
  type        = string
  description = "Index, or alias, that the sync keeps equal to the table: the sync's own index."
  nullable    = false

  validation {
    # `$` and `*` would mean something else in the role's policy, where the index stands too.
    condition     = can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*$", var.index)) && !startswith(var.index, "..") && var.index != "." && length(var.index) <= 255
    error_message = "index is '${var.index}': give an OpenSearch index name: 1 to 255 characters, lower case, no spaces, none of \" * + \\ / | , ? < > # : $, not starting with - or _."
  }
}

variable "table" {
  type = object({
    name      = string
    arn       = string
    hash_key  = string
    range_key = optional(string)
    server_side_encryption = optional(list(object({
      enabled     = bool
      kms_key_arn = optional(string)
    })))
  })
  description = "The DynamoDB table: an aws_dynamodb_table resource or data source, or this repository's modules/table, as a whole. For another account's table: an object with these attributes."
  nullable    = false

  validation {
    condition     = can(regex("^arn:[^:]+:dynamodb:[^:]+:[0-9]{12}:table/[a-zA-Z0-9_.-]{3,255}$", var.table.arn))
    error_message = "table.arn is ${jsonencode(var.table.arn)}: give a table's ARN (arn:aws:dynamodb:REGION:ACCOUNT:table/NAME)."
  }

  validation {
    condition     = !can(regex(":table/[^/]+$", var.table.arn)) || endswith(var.table.arn, ":table/${var.table.name}")
    error_message = "table.name is ${jsonencode(var.table.name)} and table.arn is ${jsonencode(var.table.arn)}: give name and ARN of one table."
  }

  validation {
    condition     = try(length(var.table.hash_key) > 0, false)
    error_message = "table.hash_key is ${jsonencode(var.table.hash_key)}: give the name of the partition key's attribute."
  }
}

variable "architectures" {
  type        = list(string)
  description = "The function's instruction set: [\"arm64\"] (default: a fifth cheaper) or [\"x86_64\"]. The package runs on both."
  default     = ["arm64"]
  nullable    = false

  validation {
    condition     = contains([jsonencode(["arm64"]), jsonencode(["x86_64"])], jsonencode(var.architectures))
    error_message = "architectures is ${jsonencode(var.architectures)}: give [\"arm64\"] or [\"x86_64\"]."
  }
}

variable "code_signing_config_arn" {
  type        = string
  description = "ARN of a code signing configuration, for a package that you signed (s3_bucket, s3_key). Null (default): none."
  default     = null

  validation {
    condition     = var.code_signing_config_arn == null || can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:code-signing-config:csc-[a-z0-9]{17}$", var.code_signing_config_arn))
    error_message = "code_signing_config_arn is ${jsonencode(var.code_signing_config_arn)}: give the ARN of a code signing configuration (arn:aws:lambda:REGION:ACCOUNT:code-signing-config:csc-ID), or null."
  }
}

variable "collection" {
  type = object({
    arn                 = string
    collection_endpoint = string
  })
  description = "The OpenSearch Serverless collection, of type SEARCH: an aws_opensearchserverless_collection as a whole. Its data access policy must let the role read and write the index, too. One of domain, collection and opensearch_endpoint."
  default     = null

  validation {
    condition     = var.collection == null || can(regex("^arn:[^:]+:aoss:[^:]+:[0-9]{12}:collection/[a-z0-9]+$", var.collection.arn))
    error_message = "collection.arn is ${jsonencode(try(var.collection.arn, null))}: give a collection's ARN (arn:aws:aoss:REGION:ACCOUNT:collection/ID)."
  }

  validation {
    condition     = var.collection == null || can(regex("^https://[^/@\\s]+$", var.collection.collection_endpoint))
    error_message = "collection.collection_endpoint is ${jsonencode(try(var.collection.collection_endpoint, null))}: give the collection's URL (https://ID.REGION.aoss.amazonaws.com)."
  }

  validation {
    condition     = try(split(":", var.collection.arn)[3] == split(":", var.table.arn)[3], true)
    error_message = "collection.arn is ${jsonencode(try(var.collection.arn, null))}: give one in the table's Region, ${try(split(":", var.table.arn)[3], "?")}: the function runs, and signs its requests, there."
  }
}

variable "conflict_window_seconds" {
  type        = number
  description = "The sync's own conflict_window_seconds: 10 to 3600 (default: 60)."
  default     = 60
  nullable    = false

  validation {
    condition     = var.conflict_window_seconds >= 10 && var.conflict_window_seconds <= 3600 && floor(var.conflict_window_seconds) == var.conflict_window_seconds
    error_message = "conflict_window_seconds is ${var.conflict_window_seconds}: give a whole number from 10 to 3600."
  }
}

variable "domain" {
  type = object({
    arn      = string
    endpoint = string
  })
  description = "The OpenSearch domain: an aws_opensearch_domain resource or data source as a whole. With a custom endpoint: { arn = …, endpoint = \"search.example.com\" }. One of domain, collection and opensearch_endpoint."
  default     = null

  validation {
    condition     = var.domain == null || can(regex("^arn:[^:]+:es:[^:]+:[0-9]{12}:domain/[a-z][a-z0-9-]{2,27}$", var.domain.arn))
    error_message = "domain.arn is ${jsonencode(try(var.domain.arn, null))}: give a domain's ARN (arn:aws:es:REGION:ACCOUNT:domain/NAME)."
  }

  validation {
    condition     = var.domain == null || can(regex("^(https://)?[^:/@\\s]+$", var.domain.endpoint))
    error_message = "domain.endpoint is ${jsonencode(try(var.domain.endpoint, null))}: give the domain's host name, without a path."
  }

  validation {
    condition     = try(split(":", var.domain.arn)[3] == split(":", var.table.arn)[3], true)
    error_message = "domain.arn is ${jsonencode(try(var.domain.arn, null))}: give one in the table's Region, ${try(split(":", var.table.arn)[3], "?")}: the function runs, and signs its requests, there."
  }
}

variable "environment_variables" {
  type        = map(string)
  description = "More environment variables for the function, such as BULK_ACTIONS or AWS_ENDPOINT_URL_DYNAMODB. Not those that this module sets, nor those that Lambda keeps for itself."
  default     = {}
  nullable    = false

  validation {
    condition = length(setintersection(keys(var.environment_variables), [
      "CONFLICT_WINDOW_SECONDS", "DEAD_LETTER_ARN", "INDEX", "LOG_LEVEL", "MAX_CONCURRENCY", "OPENSEARCH_AUTH",
      "OPENSEARCH_CA_FILE", "OPENSEARCH_ENDPOINT", "OPENSEARCH_SECRET_ARN", "OPENSEARCH_SERVICE", "REPORT_BUCKET",
      "REQUEST_TIMEOUT_SECONDS", "SYNC_NAME", "TABLE_KEYS", "TABLE_NAME",
    ])) == 0
    error_message = "environment_variables has the names ${join(", ", keys(var.environment_variables))}: leave out those that this module sets from variables of their own (index sets INDEX, opensearch_auth sets OPENSEARCH_AUTH, …)."
  }

  validation {
    condition     = alltrue([for name in keys(var.environment_variables) : can(regex("^[a-zA-Z][a-zA-Z0-9_]+$", name)) && !can(regex("^(AWS_REGION|AWS_DEFAULT_REGION|AWS_EXECUTION_ENV|AWS_ACCESS_KEY|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_LAMBDA_.*|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR)$", name))])
    error_message = "environment_variables has the names ${join(", ", keys(var.environment_variables))}: give names of letters, digits and _ that start with a letter, and none that Lambda keeps for itself (AWS_REGION, AWS_LAMBDA_…, AWS_ACCESS_KEY_ID, …)."
  }
}

variable "export_bucket" {
  type = object({
    arn = string
  })
  description = "Bucket of the table's point-in-time exports, to be loaded from: an aws_s3_bucket as a whole. Null (default): no export can be loaded."
  default     = null

  validation {
    condition     = var.export_bucket == null || can(regex("^arn:[^:]+:s3:::[a-z0-9.-]{3,63}$", var.export_bucket.arn))
    error_message = "export_bucket.arn is ${jsonencode(try(var.export_bucket.arn, null))}: give an S3 bucket's ARN (arn:aws:s3:::NAME)."
  }
}

variable "export_bucket_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of export_bucket. Null (default): the service's own key."
  default     = null

  validation {
    condition     = var.export_bucket_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.export_bucket_kms_key_arn))
    error_message = "export_bucket_kms_key_arn is ${jsonencode(var.export_bucket_kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }
}

variable "failure_destination" {
  type = object({
    arn = string
  })
  description = "Where the sync puts its failures, to be redriven from: an aws_sqs_queue or aws_s3_bucket as a whole, or { arn = module.search.failure_destination_arn }. Null (default): nothing can be redriven."
  default     = null

  validation {
    condition     = var.failure_destination == null || can(regex("^arn:[^:]+:(s3:::[a-z0-9.-]{3,63}|sqs:[^:]+:[0-9]{12}:[a-zA-Z0-9_-]{1,256})$", var.failure_destination.arn))
    error_message = "failure_destination.arn is ${jsonencode(try(var.failure_destination.arn, null))}: give the ARN of an SQS queue or S3 bucket. A topic keeps nothing: give a queue that subscribes to it."
  }
}

variable "failure_destination_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of the failure destination. The role gets the rights to use it. Null (default): the service's own key."
  default     = null

  validation {
    condition     = var.failure_destination_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.failure_destination_kms_key_arn))
    error_message = "failure_destination_kms_key_arn is ${jsonencode(var.failure_destination_kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }
}

variable "filename" {
  type        = string
  description = "Path of another package (zip) for the function, such as one with your own transform. Null (default): the one that comes with this module."
  default     = null

  validation {
    condition     = var.filename == null || var.s3_bucket == null
    error_message = "filename is ${jsonencode(var.filename)} and s3_bucket is ${jsonencode(var.s3_bucket)}: give one of the two, or neither for the package that comes with this module."
  }

  validation {
    condition     = var.filename == null || try(fileexists(var.filename), false)
    error_message = "filename is ${jsonencode(var.filename)}: give the path of a zip that is there."
  }
}

variable "indices" {
  type        = set(string)
  description = "Indices that stand, or will stand, behind index, if that is an alias: [\"products-1\"], or [\"products-*\"] for all whose names begin so (default: none, index is no alias). What verify reads and create-index makes."
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.indices : can(regex("^[^-_+A-Z\\s\"*\\\\/|,?<>#:$][^+A-Z\\s\"*\\\\/|,?<>#:$]*[*]?$", name)) && length(name) <= 255])
    error_message = "indices is ${jsonencode(var.indices)}: give index names: 1 to 255 characters, lower case, no spaces, none of \" + \\ / | , ? < > # : $, not starting with - or _, a * only at the end."
  }
}

variable "kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the function's environment. Null (default): AWS's own key; the environment holds no secrets."
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn is ${jsonencode(var.kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }
}

variable "layers" {
  type        = list(string)
  description = "ARNs of layer versions for the function, at most 5: for a CA file (opensearch_ca_file) or an extension."
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5 && alltrue([for layer in var.layers : can(regex("^arn:[^:]+:lambda:[^:]+:[0-9]{12}:layer:[a-zA-Z0-9_-]+:[0-9]+$", layer))])
    error_message = "layers is ${jsonencode(var.layers)}: give at most 5 ARNs of layer versions (arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION)."
  }
}

variable "log_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the log group; its key policy must let CloudWatch Logs use it. Null (default): CloudWatch's own key; logs hold no item contents."
  default     = null

  validation {
    condition     = var.log_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.log_kms_key_arn))
    error_message = "log_kms_key_arn is ${jsonencode(var.log_kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }
}

variable "log_level" {
  type        = string
  description = "What the function logs: DEBUG, INFO (default), WARNING or ERROR. Metrics are written whatever it is."
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is '${var.log_level}': give DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_in_days" {
  type        = number
  description = "After how many days CloudWatch deletes log lines (default: 30); 0 keeps them for ever."
  default     = 30
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_in_days)
    error_message = "log_retention_in_days is ${var.log_retention_in_days}: give 0 (for ever) or one that CloudWatch knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "max_concurrency" {
  type        = number
  description = "How many units of a job are done at the same time, each by one invocation: 1 to 1000 (default: 10: OpenSearch gets 20 bulk requests at once, beside the sync's own)."
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_concurrency >= 1 && var.max_concurrency <= 1000 && floor(var.max_concurrency) == var.max_concurrency
    error_message = "max_concurrency is ${var.max_concurrency}: give a whole number from 1 to 1000."
  }
}

variable "memory_size" {
  type        = number
  description = "The function's memory in MB, and with it its share of a processor: 128 to 10240 (default: 1769, one whole processor)."
  default     = 1769
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is ${var.memory_size}: give a whole number from 128 to 10240 (MB)."
  }
}

variable "name" {
  type        = string
  description = "Name of the function and the state machine, and the stem of the names of all that belongs to it: 1 to 64 of a-z A-Z 0-9 _ - characters. Null (default): the table's name, followed by -opensearch-operations."
  default     = null

  validation {
    condition     = var.name == null || can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name is ${jsonencode(var.name)}: give 1 to 64 characters, each of a-z A-Z 0-9 _ - (Lambda's rule for function names), or null."
  }
}

variable "name_prefix" {
  type        = string
  description = "Start of the name when none is given, such as team-prod-: up to 22 of a-z A-Z 0-9 _ - characters, followed by the table's name and -opensearch-operations (default: \"\"). Nothing random follows: Lambda makes up no names."
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{0,22}$", var.name_prefix))
    error_message = "name_prefix is ${jsonencode(var.name_prefix)}: give up to 22 characters, each of a-z A-Z 0-9 _ - (Lambda's rule for function names)."
  }

  validation {
    condition     = var.name_prefix == "" || var.name == null
    error_message = "name_prefix is ${jsonencode(var.name_prefix)} and name is ${jsonencode(var.name)}: give one of the two, or neither."
  }
}

variable "opensearch_auth" {
  type        = string
  description = "How the function proves who it is: sigv4 (default: with its role; needs domain or collection), basic (user and password from opensearch_secret_arn) or none."
  default     = "sigv4"
  nullable    = false

  validation {
    condition     = contains(["sigv4", "basic", "none"], var.opensearch_auth)
    error_message = "opensearch_auth is '${var.opensearch_auth}': give sigv4, basic or none."
  }

  validation {
    condition     = var.opensearch_auth == "sigv4" || var.collection == null
    error_message = "opensearch_auth is '${var.opensearch_auth}' with a collection: OpenSearch Serverless takes sigv4 only."
  }
}

variable "opensearch_ca_file" {
  type        = string
  description = "Path of a PEM file in the package or a layer (/opt/…) with the CA that signed OpenSearch's certificate. Null (default): the public CAs."
  default     = null

  validation {
    condition     = var.opensearch_ca_file == null || try(length(var.opensearch_ca_file) > 0, false)
    error_message = "opensearch_ca_file is ${jsonencode(var.opensearch_ca_file)}: give the path of a PEM file, such as /opt/ca.pem from a layer, or null."
  }
}

variable "opensearch_endpoint" {
  type        = string
  description = "URL of an OpenSearch that is neither a domain nor a collection of yours, with opensearch_auth basic or none. One of domain, collection and opensearch_endpoint."
  default     = null

  validation {
    condition     = length([for given in [var.domain != null, var.collection != null, var.opensearch_endpoint != null] : given if given]) == 1
    error_message = "domain is ${var.domain == null ? "null" : "given"}, collection is ${var.collection == null ? "null" : "given"}, opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)}: give exactly one of the three."
  }

  validation {
    condition     = var.opensearch_endpoint == null || var.opensearch_auth != "sigv4"
    error_message = "opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)} with opensearch_auth sigv4: give domain or collection in its place, so that the role can be allowed to write there, or set opensearch_auth to basic or none."
  }

  validation {
    condition     = var.opensearch_endpoint == null || can(regex("^https?://[^/@\\s?#]+(/[^@\\s?#]*)?$", var.opensearch_endpoint))
    error_message = "opensearch_endpoint is ${can(regex("@", var.opensearch_endpoint)) ? "a URL with a user in it" : jsonencode(var.opensearch_endpoint)}: give a URL such as https://search.example.com:9200, without user or password (those belong in opensearch_secret_arn)."
  }

  validation {
    condition     = var.opensearch_endpoint == null || var.opensearch_auth != "basic" || try(startswith(var.opensearch_endpoint, "https://"), true)
    error_message = "opensearch_endpoint is ${jsonencode(var.opensearch_endpoint)} with opensearch_auth basic: give an https:// URL, or the password travels in clear."
  }
}

variable "opensearch_secret_arn" {
  type        = string
  description = "ARN of the Secrets Manager secret for opensearch_auth basic: JSON with username and password."
  default     = null

  validation {
    condition     = (var.opensearch_secret_arn != null) == (var.opensearch_auth == "basic")
    error_message = "opensearch_secret_arn is ${jsonencode(var.opensearch_secret_arn)} with opensearch_auth '${var.opensearch_auth}': basic needs a secret's ARN, the others take none."
  }

  validation {
    condition     = var.opensearch_secret_arn == null || can(regex("^arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+$", var.opensearch_secret_arn))
    error_message = "opensearch_secret_arn is ${jsonencode(var.opensearch_secret_arn)}: give a secret's ARN (arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX)."
  }
}

variable "opensearch_secret_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key that encrypts the secret. Null (default): it is encrypted with AWS's own key."
  default     = null

  validation {
    condition     = var.opensearch_secret_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.opensearch_secret_kms_key_arn))
    error_message = "opensearch_secret_kms_key_arn is ${jsonencode(var.opensearch_secret_kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }

  validation {
    condition     = var.opensearch_secret_kms_key_arn == null || var.opensearch_auth == "basic"
    error_message = "opensearch_secret_kms_key_arn is ${jsonencode(var.opensearch_secret_kms_key_arn)} with opensearch_auth '${var.opensearch_auth}': only basic has a secret to decrypt."
  }
}

variable "permissions_boundary" {
  type        = string
  description = "ARN of the policy that bounds the role that is made. Null (default): none."
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[^:]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is ${jsonencode(var.permissions_boundary)}: give the ARN of an IAM policy (arn:aws:iam::ACCOUNT:policy/NAME), or null."
  }
}

variable "report_bucket" {
  type = object({
    arn = string
  })
  description = "Bucket that gets what verify finds and what is refused, as JSON lines under reports/: an aws_s3_bucket as a whole. Null (default): findings stand in the log only."
  default     = null

  validation {
    condition     = var.report_bucket == null || can(regex("^arn:[^:]+:s3:::[a-z0-9.-]{3,63}$", var.report_bucket.arn))
    error_message = "report_bucket.arn is ${jsonencode(try(var.report_bucket.arn, null))}: give an S3 bucket's ARN (arn:aws:s3:::NAME)."
  }
}

variable "report_bucket_kms_key_arn" {
  type        = string
  description = "ARN of the customer managed KMS key of report_bucket. Null (default): the service's own key."
  default     = null

  validation {
    condition     = var.report_bucket_kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.report_bucket_kms_key_arn))
    error_message = "report_bucket_kms_key_arn is ${jsonencode(var.report_bucket_kms_key_arn)}: give the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID, not an alias), or null."
  }
}

variable "request_timeout_seconds" {
  type        = number
  description = "How long the function waits for the answer to one request to OpenSearch, in seconds: 1 to 300, and less than timeout (default: 20)."
  default     = 20
  nullable    = false

  validation {
    condition     = var.request_timeout_seconds >= 1 && var.request_timeout_seconds <= 300 && floor(var.request_timeout_seconds) == var.request_timeout_seconds
    error_message = "request_timeout_seconds is ${var.request_timeout_seconds}: give a whole number from 1 to 300."
  }

  validation {
    condition     = var.request_timeout_seconds < var.timeout
    error_message = "request_timeout_seconds is ${var.request_timeout_seconds} with timeout ${var.timeout}: give less than timeout, or the function dies before it can say what is done."
  }
}

variable "reserved_concurrent_executions" {
  type        = number
  description = "Invocations that are kept for, and the most allowed to, this function; -1 (default) for no reservation, 0 stops it. A job runs max_concurrency invocations at most."
  default     = -1
  nullable    = false

  validation {
    condition     = var.reserved_concurrent_executions >= -1 && floor(var.reserved_concurrent_executions) == var.reserved_concurrent_executions
    error_message = "reserved_concurrent_executions is ${var.reserved_concurrent_executions}: give a whole number from 0, or -1 for no reservation."
  }
}

variable "role_path" {
  type        = string
  description = "Path of the role that is made, such as /service/ (default: \"/\")."
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-.0-~][!-~]*/)?$", var.role_path)) && length(var.role_path) <= 512
    error_message = "role_path is ${jsonencode(var.role_path)}: give / or a path that starts and ends with one, such as /service/."
  }
}

variable "runtime" {
  type        = string
  description = "The function's Python: python3.11, python3.12 or python3.13 (default: supported by AWS the longest)."
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13"], var.runtime)
    error_message = "runtime is '${var.runtime}': give python3.11, python3.12 or python3.13."
  }
}

variable "s3_bucket" {
  type        = string
  description = "Bucket of another package (zip) for the function, with s3_key. Null (default): the package that comes with this module."
  default     = null

  validation {
    condition     = (var.s3_bucket == null) == (var.s3_key == null)
    error_message = "s3_bucket is ${jsonencode(var.s3_bucket)} and s3_key is ${jsonencode(var.s3_key)}: give both or neither."
  }
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

  validation {
    condition     = var.s3_object_version == null || var.s3_bucket != null
    error_message = "s3_object_version is ${jsonencode(var.s3_object_version)} without s3_bucket: give s3_bucket and s3_key too."
  }
}

variable "source_code_hash" {
  type        = string
  description = "SHA-256 of the package in s3_bucket, base64: another one deploys it again. Null (default): only another s3_key or s3_object_version does. Files are hashed here."
  default     = null

  validation {
    condition     = var.source_code_hash == null || var.s3_bucket != null
    error_message = "source_code_hash is ${jsonencode(var.source_code_hash)} without s3_bucket: it is for packages in S3 only; files are hashed here."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of all that is made here."
  default     = {}
  nullable    = false
}

variable "timeout" {
  type        = number
  description = "How long one invocation may take, in seconds: 2 to 900 (default: 900, Lambda's maximum: fewer invocations for the same work)."
  default     = 900
  nullable    = false

  validation {
    condition     = var.timeout >= 2 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is ${var.timeout}: give a whole number from 2 to 900, Lambda's maximum."
  }
}

variable "tracing_mode" {
  type        = string
  description = "AWS X-Ray: PassThrough (default: off, as nothing upstream of a stream traces) or Active."
  default     = "PassThrough"
  nullable    = false

  validation {
    condition     = contains(["PassThrough", "Active"], var.tracing_mode)
    error_message = "tracing_mode is '${var.tracing_mode}': give PassThrough or Active."
  }
}

variable "vpc_config" {
  type = object({
    subnet_ids                  = set(string)
    security_group_ids          = set(string)
    ipv6_allowed_for_dual_stack = optional(bool, false)
  })
  description = "Subnets and security groups that the function runs in, to reach a domain or a self-managed OpenSearch in a VPC. It needs a way to DynamoDB, to SQS or S3 where failures, exports and reports are, and, with basic, to Secrets Manager from there: VPC endpoints or a NAT. Null (default): no VPC."
  default     = null

  validation {
    condition     = var.vpc_config == null || try(length(var.vpc_config.subnet_ids) >= 1 && length(var.vpc_config.subnet_ids) <= 16 && alltrue([for id in var.vpc_config.subnet_ids : startswith(id, "subnet-")]), false)
    error_message = "vpc_config.subnet_ids is ${jsonencode(try(var.vpc_config.subnet_ids, null))}: give 1 to 16 subnet ids (subnet-…), or no vpc_config."
  }

  validation {
    condition     = var.vpc_config == null || try(length(var.vpc_config.security_group_ids) >= 1 && length(var.vpc_config.security_group_ids) <= 5 && alltrue([for id in var.vpc_config.security_group_ids : startswith(id, "sg-")]), false)
    error_message = "vpc_config.security_group_ids is ${jsonencode(try(var.vpc_config.security_group_ids, null))}: give 1 to 5 security group ids (sg-…), or no vpc_config."
  }
}
