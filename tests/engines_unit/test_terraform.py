"""The environment of this project's own Terraform runs."""

from pathlib import Path

import pytest
from engines.errors import EngineError
from engines.terraform import cli_configuration, terraform_environment


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any Terraform settings, on a machine without a mirror."""
    for name in ("TF_PLUGIN_MIRROR", "TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG", "TF_PLUGIN_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ENGINES_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("engines.terraform._usual_places", lambda: (tmp_path / "usual").glob("*"))
    return tmp_path


def _mirror(folder: Path) -> Path:
    (folder / "registry.terraform.io/hashicorp/aws/5.100.0").mkdir(parents=True)
    return folder


def test_a_named_mirror_serves_what_it_has_and_the_registry_the_rest(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_PLUGIN_MIRROR", str(_mirror(machine / "mirror")))
    with terraform_environment() as environment:
        configuration = Path(environment["TF_CLI_CONFIG_FILE"])
        written = configuration.read_text(encoding="utf-8")
    assert f'path    = "{machine / "mirror"}"' in written
    assert 'include = ["registry.terraform.io/hashicorp/aws"]' in written
    assert 'exclude = ["registry.terraform.io/hashicorp/aws"]' in written
    assert not configuration.exists()


def test_a_named_mirror_that_is_none_is_refused(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_PLUGIN_MIRROR", str(machine))
    expected = pytest.raises(EngineError, match=r"TF_PLUGIN_MIRROR=.* must hold registry\.terraform\.io/")
    with expected, terraform_environment():
        pass


def test_a_mirror_in_a_usual_place_is_found(machine: Path) -> None:
    mirror = _mirror(machine / "usual/plugins")
    with terraform_environment() as environment:
        assert Path(environment["TF_CLI_CONFIG_FILE"]).read_text(encoding="utf-8") == cli_configuration(mirror)


def test_the_users_own_configuration_is_left_alone(machine: Path) -> None:
    _mirror(machine / "usual/plugins")
    (machine / ".terraformrc").touch()
    with terraform_environment() as environment:
        assert "TF_CLI_CONFIG_FILE" not in environment


def test_without_a_mirror_providers_are_downloaded_once(machine: Path) -> None:
    with terraform_environment() as environment:
        assert environment["TF_PLUGIN_CACHE_DIR"] == str(machine / "home/terraform-plugins")
        assert environment["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] == "1"


def test_a_configuration_that_is_missing_is_not_passed_on(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(machine / "gone"))
    with terraform_environment() as environment:
        assert "TF_CLI_CONFIG_FILE" not in environment


def test_the_users_aws_account_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    with terraform_environment() as environment:
        assert [name for name in environment if name.startswith("AWS_")] == []
