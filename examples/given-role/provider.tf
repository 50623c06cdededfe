provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "given-role", name = var.name }
  }
}
