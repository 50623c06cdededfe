provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "self-managed", name = var.name }
  }
}
