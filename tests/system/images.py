"""Accord's image, built from its Dockerfile with buildah, on a base made of Debian's packages: no registry is asked.

What pip is told on this machine about its index and about certificates goes into the build as secrets, as anybody
would hand it in. Everything lies in one folder: a store of buildah's own, without mounts, so that removing it is all
there is to clean up.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.components import require_component
from tests.system.wheels import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = "localhost/accord-test-base"
IMAGE = "localhost/accord-test"
STEP_S = 300
_PACKAGES = "python3,python3-venv,libstdc++6"
"""What `python:slim` has, too: the interpreter, pip, and the library of C++ that apt needs there."""
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
_PIP_SAYS = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_PROXY",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
)
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Store:
    """Where buildah keeps images and containers: below `folder`, and nowhere else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buildah = require_component("buildah")

    def __call__(self, *arguments: str) -> str:
        """Run a command of buildah's that must succeed, and return what it prints."""
        places = ("--root", str(self._folder / "root"), "--runroot", str(self._folder / "run"))
        return run(self._buildah, *places, "--storage-driver", "vfs", *arguments)

    def base(self) -> None:
        """Make the base from Debian's packages, as the machine's own sources of packages have them."""
        mmdebstrap = require_component("mmdebstrap")
        container = self("from", "--name", "base", "scratch").strip()
        without = [f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT]
        tree = self("mount", container).strip()
        included = ("--variant=essential", f"--include={_PACKAGES}")
        run(mmdebstrap, "--quiet", "--mode=root", "--format=directory", *included, *without, _release(), tree)
        self("commit", "--quiet", "--rm", container, BASE)

    def build(self, wheel: Path | None, **arguments: str) -> None:
        """Build the image as the Dockerfile says; `wheel`, if there is one, is taken in place of compiling."""
        given = [f"--build-arg={name}={value}" for name, value in ({"BASE_IMAGE": BASE} | arguments).items()]
        given += [f"--secret=id={name},src={path}" for name, path in self._secrets().items()]
        if wheel is not None:
            given.append(f"--build-context=wheelhouse={wheel.parent}")
        kind = ("--isolation", "chroot", "--format", "docker", "--quiet")
        self("build", *kind, *given, "--tag", IMAGE, str(ROOT))

    def unpacked(self) -> Path:
        """Return the folder where the image's files are, as a container would see them."""
        return Path(self("mount", self("from", "--pull-never", IMAGE).strip()).strip())

    def config(self) -> Any:  # noqa: ANN401 - JSON
        """Return what the image says of how it is run."""
        return json.loads(self("inspect", "--type", "image", IMAGE))["Docker"]["config"]

    def _secrets(self) -> Mapping[str, Path]:
        """Write what pip is told here into the file that a build is handed, with the certificates beside it."""
        environ = os.environ  # noqa: TID251 - what the tools of this machine need
        said = [f"{name[4:].lower().replace('_', '-')} = {environ[name]}" for name in _PIP_SAYS if environ.get(name)]
        certificates = next((Path(environ[name]) for name in _CERTIFICATES if environ.get(name)), None)
        secrets = {"pip.conf": self._folder / "pip.conf"}
        if certificates is not None:
            said.append("cert = /run/secrets/ca.pem")
            secrets["ca.pem"] = certificates
        secrets["pip.conf"].write_text("\n".join(["[global]", *said]) + "\n")
        return secrets

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._folder)


def run(*command: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=STEP_S, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2_000:]}\n{done.stderr[-5_000:]}"
    return done.stdout


def _release() -> str:
    """Return the name of this machine's release of Debian, whose packages it knows how to get."""
    said = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return said["VERSION_CODENAME"].strip('"')
