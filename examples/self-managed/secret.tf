# Terraform makes the secret, and never sees what is in it: the password would be in the state. README.md puts it in.
resource "aws_secretsmanager_secret" "search" {
  #checkov:skip=CKV_AWS_149:AWS's managed key encrypts; give kms_key_id, and opensearch_secret_kms_key_arn to the sync
  #checkov:skip=CKV2_AWS_57:rotation needs code that changes OpenSearch's user; the sync reads a new secret by itself

  name_prefix             = "${var.name}-"
  description             = "User name and password of the sync in OpenSearch."
  recovery_window_in_days = 7 # AWS's minimum
}
