provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "single-table", name = var.name }
  }
}
