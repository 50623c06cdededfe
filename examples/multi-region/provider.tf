provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "multi-region", name = var.name }
  }
}

provider "aws" {
  alias  = "replica"
  region = var.replica_region

  default_tags {
    tags = { example = "multi-region", name = var.name }
  }
}
