"""TLS to an upstream: who is trusted, who we are, and what is wrong with the files that say so."""

from __future__ import annotations

import functools
import ssl
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING

from gateway.upstream.sessions import ResumingContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Check = Callable[[Path], str]

_KEY_MARK = b"PRIVATE KEY-----"
_OTHERS = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")  # the last for a key of another kind
_WEAK = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")


def client_context(
    ca_file: Path | None = None, cert_file: Path | None = None, key_file: Path | None = None
) -> ResumingContext:
    """Return a context that verifies the upstream's certificate and name, against `ca_file` alone where one is given.

    TLS 1.2 and newer (RFC 9325 section 3.1.1). Made by hand, because `ssl.create_default_context()` writes the session
    keys to the file that the environment's SSLKEYLOGFILE names. Without files there is one context for all: leave it as
    it is. Raises OSError (ssl.SSLError is one) and ValueError for files in which `unusable` finds something wrong.
    """
    return _system() if ca_file is None and cert_file is None else _context(ca_file, cert_file, key_file)


@functools.cache  # to load a system's authorities takes tens of milliseconds, and there may be many upstreams
def _system() -> ResumingContext:
    return _context(None, None, None)


def _context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ResumingContext:
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(ca_file)
    if cert_file is not None:
        context.load_cert_chain(cert_file, key_file, _no_passphrase)
    return context


def unusable(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Give what is wrong with files: the key that names one, and a sentence that shows nothing of what is in it.

    Keys are the arguments of `client_context`; where there is a `cert_file` there is a `key_file`.
    """
    wrong = {key: told for key, path in files.items() if (told := _wrong(path, _CHECKS[key]))}
    yield from wrong.items()
    if "cert_file" in files and wrong.keys() <= {"ca_file"}:
        yield from _no_pair(files["cert_file"], files["key_file"])


def _wrong(path: Path, check: Check) -> str:
    try:
        mode = path.stat().st_mode
        return check(path) if S_ISREG(mode) or S_ISDIR(mode) else "is not a file"  # a pipe keeps its readers waiting
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _no_certificate(path: Path) -> str:
    path.read_bytes()  # OpenSSL tells less of what it cannot read
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        return f"holds no certificate in PEM{_reason(error)}"
    return "" if context.cert_store_stats()["x509"] else "holds no certificate in PEM"


def _no_key(path: Path) -> str:
    return "" if _KEY_MARK in path.read_bytes() else "holds no private key in PEM"


def _no_pair(cert_file: Path, key_file: Path) -> Iterator[tuple[str, str]]:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert_file, key_file, _no_passphrase)
    except _EncryptedError:
        yield "key_file", "is encrypted: give a key without a passphrase"
    except ssl.SSLError as error:
        if error.reason in _OTHERS:
            yield "key_file", "is not the key of the certificate in cert_file"
        elif error.reason in _WEAK:
            yield "cert_file", f"is too weak{_reason(error)}"
        else:
            yield "key_file", f"cannot be used{_reason(error)}"


class _EncryptedError(ValueError):
    """A private key asks for a passphrase; without this, OpenSSL would ask the terminal."""


def _no_passphrase() -> str:
    raise _EncryptedError("a private key is encrypted")


def _reason(error: ssl.SSLError) -> str:
    return f" ({error.reason.lower().replace('_', ' ')})" if error.reason else ""


_CHECKS = {"ca_file": _no_certificate, "cert_file": _no_certificate, "key_file": _no_key}
