"""Configures OpenSearch's security plugin: TLS with the node's own certificate, and the plugin's demo users."""

import shutil
from pathlib import Path

from engines.commands import run_command
from engines.java import WITHOUT_PERFORMANCE_FILE, Jdk

PLUGIN = "plugins/opensearch-security"
USER = "admin"
PASSWORD = "admin"  # the plugin's demo password; the node listens only on loopback
STORE_PASSWORD = "changeit"


def write_security(config: Path, installed: Path, jdk: Jdk) -> dict[str, object]:
    """Write certificate (`ca.pem`), key and users into the config folder; return the settings that use them."""

    def keytool(*arguments: str) -> None:
        run_command(
            [
                jdk.keytool,
                f"-J{WITHOUT_PERFORMANCE_FILE}",
                *arguments,
                "-storetype",
                "PKCS12",
                "-storepass",
                STORE_PASSWORD,
            ],
            folder=config,
            belongs_to=config.parent,
        )

    subject = ("-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1")
    use = ("-ext", "bc:c=ca:true", "-ext", "eku=serverAuth,clientAuth")
    key = ("-alias", "node", "-keystore", "node.p12")
    keytool("-genkeypair", *key, "-keyalg", "RSA", "-keysize", "2048", "-validity", "3650", *subject, *use)
    keytool("-exportcert", "-rfc", *key, "-file", "ca.pem")
    keytool("-importcert", "-noprompt", "-alias", "ca", "-keystore", "trust.p12", "-file", "ca.pem")
    shutil.copytree(installed / PLUGIN / "config", config / "opensearch-security")

    settings: dict[str, object] = {
        "plugins.security.ssl.http.enabled": True,
        "plugins.security.ssl.transport.enforce_hostname_verification": False,
        "plugins.security.allow_default_init_securityindex": True,
        "plugins.security.nodes_dn": ["CN=localhost"],
        "plugins.security.restapi.roles_enabled": ["all_access", "security_rest_api_access"],
    }
    for layer in ("http", "transport"):
        for store, file in (("keystore", "node.p12"), ("truststore", "trust.p12")):
            prefix = f"plugins.security.ssl.{layer}.{store}"
            settings |= {f"{prefix}_type": "PKCS12", f"{prefix}_filepath": file, f"{prefix}_password": STORE_PASSWORD}
    return settings
