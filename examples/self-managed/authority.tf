# The certificate of the authority that signed OpenSearch's, as a layer: authority.pem, zipped.
resource "aws_lambda_layer_version" "authority" {
  count = var.authority_package == null ? 0 : 1

  layer_name               = "${var.name}-authority"
  description              = "The certificate authority of OpenSearch."
  filename                 = var.authority_package
  source_code_hash         = filebase64sha256(var.authority_package)
  compatible_architectures = ["arm64", "x86_64"]
  compatible_runtimes      = ["python3.11", "python3.12", "python3.13"]
}
