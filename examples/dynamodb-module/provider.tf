provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "dynamodb-module", name = var.name }
  }
}
