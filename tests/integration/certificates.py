"""Certificates of a small authority, made anew with OpenSSL for a test run."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

from tests.components import require_component

if TYPE_CHECKING:
    from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


class Authority:
    """An authority in `folder`; `file` is its own certificate."""

    def __init__(self, folder: Path) -> None:
        """Make the authority."""
        self._openssl = require_component("openssl")
        self._folder = folder
        self.file = folder / "authority.pem"
        self._key = folder / "authority.key"
        constraints = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")
        self._run("req", "-x509", *_KEY, "-subj", "/CN=Authority", *constraints, out=self.file, key=self._key)

    def server(self, *names: str) -> ssl.SSLContext:
        """Return a server's context with a certificate for `names`, in OpenSSL's words: `DNS:a`, `IP:127.0.0.1`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue("server", *names))
        return context

    def issue(self, holder: str, *names: str) -> tuple[Path, Path]:
        """Return a certificate of `holder` and its key, in files of that name."""
        request, certificate, key = (self._folder / f"{holder}.{kind}" for kind in ("csr", "pem", "key"))
        extensions = self._folder / f"{holder}.ext"
        extensions.write_text(f"subjectAltName={','.join(names)}\n", encoding="ascii")
        self._run("req", *_KEY, "-subj", f"/CN={holder}", out=request, key=key)
        by = (
            "-CA",
            str(self.file),
            "-CAkey",
            str(self._key),
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            str(extensions),
        )
        self._run("x509", "-req", "-in", str(request), *by, out=certificate)
        return certificate, key

    def _run(self, *arguments: str, out: Path, key: Path | None = None) -> None:
        keyout = () if key is None else ("-keyout", str(key))
        command = (self._openssl, *arguments, "-out", str(out), *keyout)
        subprocess.run(command, check=True, capture_output=True)
