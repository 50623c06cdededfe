provider "aws" {
  region = var.region

  default_tags {
    tags = { example = "many-tables", name = var.name }
  }
}
