provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "serverless-nextgen", name = var.name }
  }
}
