"""The configuration that the chart writes is one that Accord loads, and says what the values say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.cli.main import main
from gateway.config.load import load
from tests.system.chart.helm import DEFAULTS, ROOT, VALUES, objects, only, rendered, template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.config.load import Configuration
    from tests.system.chart.helm import Object

MATRIX = sorted(file.stem for file in VALUES.glob("*.yaml"))
SECRETS = {"bank-tls": ("ca.crt", "tls.crt", "tls.key"), "valkey-tls": ("ca.crt",)}
"""What stands in the secrets of the matrix, as far as the configuration names it."""


def _files(found: tuple[Object, ...]) -> Mapping[str, str]:
    (files,) = [one["data"] for one in found if one["kind"] == "ConfigMap" and "gateway.yaml" in one["data"]]
    assert isinstance(files, dict)
    return files


def _loaded(found: tuple[Object, ...], folder: Path) -> Configuration:
    """Load what the pod would see, by the loader that the pod has."""
    folder.mkdir(exist_ok=True)
    for name, text in _files(found).items():
        (folder / name).write_text(text, encoding="utf-8")
    return load(folder / "gateway.yaml")


@pytest.mark.parametrize("entry", MATRIX)
def test_accord_loads_it(entry: str, tmp_path: Path) -> None:
    """Every set of values becomes files that Accord takes without a fault, with all upstreams, on all addresses."""
    config = _loaded(rendered(entry), tmp_path)
    given = yaml.safe_load((VALUES / f"{entry}.yaml").read_text(encoding="utf-8"))
    wanted = {name for name, file in given.get("upstreams", {}).items() if file}
    assert {one.settings.name for one in config.upstreams} == wanted
    assert config.gateway.listen.host in {"0.0.0.0", "::"}
    assert config.gateway.admin.host == config.gateway.listen.host


@pytest.mark.parametrize("entry", MATRIX)
def test_every_variable_is_given(entry: str, tmp_path: Path) -> None:
    """Each variable that the configuration names is one of the container's, and the container has no other secret."""
    config = _loaded(rendered(entry), tmp_path)
    (container,) = only(rendered(entry), "Deployment")["spec"]["template"]["spec"]["containers"]
    given = {one["name"] for one in container.get("env", ()) if "valueFrom" in one}
    assert given == {reference.variable for reference in config.environment}


def test_every_certificate_is_mounted(tmp_path: Path) -> None:
    """Files that the configuration names lie in folders that are mounted, under the keys of their secrets."""
    config = _loaded(rendered("valkey"), tmp_path)
    pod = only(rendered("valkey"), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    secrets = {volume["name"]: volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume}
    mounted = {
        f"{mount['mountPath']}/{key}"
        for mount in container["volumeMounts"]
        if mount["name"] in secrets
        for key in SECRETS[secrets[mount["name"]]]
    }
    tls, store = config.upstreams[0].settings.tls, config.gateway.store.redis
    assert tls is not None
    assert store is not None
    assert {str(file) for file in (tls.ca_file, tls.cert_file, tls.key_file, store.ca_file)} == mounted


def test_numbers_stay_whole(tmp_path: Path) -> None:
    """A number of seven or nine digits is written out: 1e+08 would be no whole number to Accord."""
    assert _loaded(rendered("everything"), tmp_path / "everything").gateway.limits[0].requests == 1_000_000
    memory = _loaded(rendered("alone"), tmp_path / "alone").gateway.store.memory
    assert memory is not None
    assert memory.max_keys == 100_000_000


def test_a_text_stays_as_it_is() -> None:
    """A file that is given as a text is that text, comments and order included; one that is null is none."""
    given = yaml.safe_load((VALUES / "valkey.yaml").read_text(encoding="utf-8"))["upstreams"]
    files = _files(rendered("valkey"))
    assert files.keys() == {"gateway.yaml", "upstreams.bank.yaml"}
    assert files["upstreams.bank.yaml"] == given["bank"]


@pytest.mark.parametrize("form", ["mapping", "text"])
def test_our_own_files_are_values(form: str, tmp_path: Path) -> None:
    """The files under `config/`, put into values as they are, say the same when they come out again."""
    folder = ROOT / "config"
    read = {file.stem: file.read_text(encoding="utf-8") for file in sorted(folder.glob("upstreams/*.yaml"))}
    values = {"upstreams": {name: yaml.safe_load(text) if form == "mapping" else text for name, text in read.items()}}
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(values), encoding="utf-8")
    made = _loaded(objects(template(given)), tmp_path / "made")
    assert [one.settings for one in made.upstreams] == [one.settings for one in load(folder / "gateway.yaml").upstreams]


@pytest.mark.parametrize("entry", ["everything", "defaults"])
def test_accord_check_is_content(entry: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`accord check` runs the examples of files that came through values."""
    _loaded(rendered(entry), tmp_path)
    assert main(["check", "--config", str(tmp_path / "gateway.yaml")]) == 0, capsys.readouterr()


@pytest.mark.parametrize("own", [{}, {"redis": {"url_env": "MINE", "deadline": "20ms"}}])
def test_a_secret_makes_the_store_redis(own: dict[str, Any], tmp_path: Path) -> None:
    """`store.redis.secret` is enough; what `config.store.redis` says besides stays, but for where the address is."""
    values = {"store": {"redis": {"secret": "redis"}}} | ({"config": {"store": own}} if own else {})
    given = tmp_path / "values.yaml"
    given.write_text(yaml.safe_dump(values), encoding="utf-8")
    store = _loaded(objects(template(DEFAULTS, given)), tmp_path / "made").gateway.store.redis
    assert store is not None
    assert store.url_env == "ACCORD_REDIS_URL"
    assert store.deadline_s == (0.02 if own else 0.05)
