provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "vpc", name = var.name }
  }
}
