# The search account: the domain, and the sync.
provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "cross-account" }
  }
}

# The table's account. The Region is the same: Lambda reads no stream of another Region.
provider "aws" {
  alias  = "tables"
  region = var.region

  assume_role {
    role_arn = var.table_owner_role_arn
  }
}
