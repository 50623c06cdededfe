provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "serverless", name = var.name }
  }
}
