"""TLS settings of an upstream's file: what they do, and what `accord check` and `accord serve` say of their files."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from gateway.app.loading import load_all
from gateway.cli.main import main
from gateway.config.load import load
from gateway.errors import ConfigError
from gateway.upstream import client_context, pool_of
from tests.components import require_component
from tests.integration.certificates import Authority
from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.unit.upstream.samples import OK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HELLO = (head(), send(OK + b"Content-Length: 5\r\n\r\nhello"))
UPSTREAM = "version: 1\nname: api\nbase_url: https://api.example\nmatch: {prefix: /api}\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the system does not know, with a certificate for us and one for somebody else."""
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.issue("gateway", "DNS:gateway.example")
    made.issue("other", "DNS:other.example")
    return made


@pytest.fixture
def folder(tmp_path: Path, authority: Authority) -> Path:
    """A folder with a gateway's file, and the authority's files in `tls`, beside the upstreams' folder."""
    (tmp_path / "gateway.yaml").write_text("version: 1\n")
    (tmp_path / "tls").symlink_to(authority.file.parent)
    (tmp_path / "upstreams").mkdir()
    return tmp_path


def secured(port: int, **tls: str) -> dict[str, Any]:
    """Return the settings of an upstream by TLS, its files by their names in `tls`."""
    files = {key: f"../tls/{name}" if key.endswith("_file") else name for key, name in tls.items()}
    more: dict[str, Any] = {"tls": files} if files else {}
    return upstream(port, dialect="generic", base_url=f"https://127.0.0.1:{port}", **more)


@pytest.mark.parametrize(
    ("names", "tls", "code"),
    [
        ("IP:127.0.0.1", {"ca_file": "authority.pem"}, None),
        ("IP:127.0.0.1", {}, "upstream_tls_failed"),
        ("DNS:a.example", {"ca_file": "authority.pem"}, "upstream_tls_failed"),
        ("DNS:a.example", {"ca_file": "authority.pem", "server_name": "a.example"}, None),
        ("DNS:a.example", {"ca_file": "authority.pem", "server_name": "A.example."}, None),
        ("DNS:a.example", {"ca_file": "authority.pem", "server_name": "b.example"}, "upstream_tls_failed"),
        ("IP:::1", {"ca_file": "authority.pem", "server_name": "[::1]"}, None),
    ],
)
@on_uvloop
async def test_who_is_trusted_and_under_which_name(
    folder: Path, authority: Authority, names: str, tls: dict[str, str], code: str | None
) -> None:
    """An authority of one's own is trusted where a file says so; the name is `server_name`, else that of `base_url`."""
    async with (
        serve(HELLO, tls=authority.server(names)) as origin,
        gateway(folder, secured(origin.port, **tls)) as accord,
    ):
        answer = await accord.get("/api/a")
        assert answer.status == (200 if code is None else 503)
        assert code is None or answer.json()["code"] == code


@contextmanager
def demanding_server(tls: ssl.SSLContext) -> Iterator[int]:
    """A server that says by an alert why it ends a handshake, to one client; asyncio's would only hang up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse_one() -> None:
            plain, _ = listener.accept()
            over = tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            with contextlib.suppress(ssl.SSLError):
                over.do_handshake()
            with socket.socket(fileno=over.detach()) as rest:
                rest.shutdown(socket.SHUT_WR)
                while rest.recv(4096):
                    pass

        with ThreadPoolExecutor() as pool:
            refusing = pool.submit(refuse_one)
            yield listener.getsockname()[1]
            refusing.result()


@pytest.fixture(params=[ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name)
def demanding(request: pytest.FixtureRequest, authority: Authority) -> ssl.SSLContext:
    """What a server has that asks who its clients are, in each version of TLS."""
    tls = authority.server("IP:127.0.0.1")
    tls.maximum_version = request.param
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority.file)
    return tls


@on_uvloop
async def test_we_show_a_certificate(folder: Path, demanding: ssl.SSLContext) -> None:
    """An upstream that asks who we are is told by `cert_file`."""
    shown = {"ca_file": "authority.pem", "cert_file": "gateway.pem", "key_file": "gateway.key"}
    async with serve(HELLO, tls=demanding) as origin, gateway(folder, secured(origin.port, **shown)) as accord:
        assert (await accord.get("/api/a")).status == 200
        certificate = origin.conversations[0].writer.get_extra_info("peercert")
        assert ("DNS", "gateway.example") in certificate["subjectAltName"]


@on_uvloop
async def test_an_upstream_that_wants_a_certificate(folder: Path, demanding: ssl.SSLContext) -> None:
    """Without one, TLS fails: in the handshake, or behind it with TLS 1.3, where the request is on its way already."""
    with demanding_server(demanding) as port:
        async with gateway(folder, secured(port, ca_file="authority.pem")) as accord:
            answer = await accord.get("/api/a")
            assert (answer.status, answer.json()["code"]) == (503, "upstream_tls_failed")
            assert answer.header("Proxy-Status") == b"accord; error=tls_protocol_error"


# ------------------------------------------------------------------------------------------------ what is wrong with it


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    """A folder of files that are not what they should be."""
    folder = tmp_path_factory.mktemp("strange")
    openssl = require_component("openssl")

    def run(*arguments: str) -> None:
        subprocess.run((openssl, *arguments), cwd=folder, check=True, capture_output=True)

    key, certificate = authority.file.parent / "gateway.key", authority.file.parent / "gateway.pem"
    run("ec", "-in", str(key), "-aes128", "-passout", "pass:hunter2", "-out", "traditional.key")
    run("pkcs8", "-topk8", "-in", str(key), "-passout", "pass:hunter2", "-out", "pkcs8.key")
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=a", "-keyout", "rsa.key", "-out", "rsa.pem")
    run("req", "-x509", "-newkey", "rsa:512", "-nodes", "-subj", "/CN=a", "-keyout", "weak.key", "-out", "weak.pem")
    (folder / "index").touch()
    (folder / "ca.cnf").write_text("[ca]\ndefault_ca = us\n[us]\ndatabase = index\ndefault_md = sha256\n")
    signer = ("-cert", str(authority.file), "-keyfile", str(authority.file.with_suffix(".key")))
    run("ca", "-config", "ca.cnf", *signer, "-gencrl", "-crldays", "2", "-out", "revoked.pem")
    run("x509", "-in", str(certificate), "-outform", "DER", "-out", "gateway.der")
    lines = certificate.read_text().splitlines(keepends=True)
    (folder / "damaged.pem").write_text("".join([*lines[:3], *lines[4:]]))
    lines = key.read_text().splitlines(keepends=True)
    (folder / "damaged.key").write_text("".join([*lines[:1], "AAAA", *lines[1:]]))
    (folder / "empty.pem").write_text("")
    return folder


PAIR = {"cert_file": "../tls/gateway.pem", "key_file": "../tls/gateway.key"}
MISSING = "cannot be read: No such file or directory"
NO_CERTIFICATE = "holds no certificate in PEM"
NO_KEY = "holds no private key in PEM"
OTHER = "is not the key of the certificate in cert_file"
ENCRYPTED = "is encrypted: give a key without a passphrase"


@pytest.mark.parametrize(
    ("tls", "told"),
    [
        ({"ca_file": "../tls/authority.pem"}, {}),
        (PAIR, {}),
        ({"ca_file": "nowhere.pem"}, {"ca_file": MISSING}),
        ({"ca_file": "../tls"}, {"ca_file": "cannot be read: Is a directory"}),
        ({"ca_file": "../strange/empty.pem"}, {"ca_file": NO_CERTIFICATE}),
        ({"ca_file": "../strange/gateway.der"}, {"ca_file": NO_CERTIFICATE}),
        ({"ca_file": "../strange/damaged.pem"}, {"ca_file": NO_CERTIFICATE}),
        ({"ca_file": "../strange/revoked.pem"}, {"ca_file": NO_CERTIFICATE}),
        ({"ca_file": "../tls/gateway.key"}, {"ca_file": NO_CERTIFICATE}),
        (PAIR | {"key_file": "nowhere.key"}, {"key_file": MISSING}),
        (PAIR | {"key_file": "../tls/gateway.pem"}, {"key_file": NO_KEY}),
        (PAIR | {"key_file": "../tls/other.key"}, {"key_file": OTHER}),
        (PAIR | {"key_file": "../strange/rsa.key"}, {"key_file": OTHER}),
        (PAIR | {"key_file": "../strange/traditional.key"}, {"key_file": ENCRYPTED}),
        (PAIR | {"key_file": "../strange/pkcs8.key"}, {"key_file": ENCRYPTED}),
        (PAIR | {"key_file": "../strange/damaged.key"}, {"key_file": "cannot be used"}),
        (
            {"cert_file": "../strange/weak.pem", "key_file": "../strange/weak.key"},
            {"cert_file": "is too weak (ee key too small)"},
        ),
        (
            {"ca_file": "nowhere.pem", "cert_file": "../strange/rsa.key", "key_file": "../strange/rsa.pem"},
            {"ca_file": MISSING, "cert_file": NO_CERTIFICATE, "key_file": NO_KEY},
        ),
        ({"key_file": "../tls/other.key", "cert_file": PAIR["cert_file"]}, {"key_file": OTHER}),
        (
            PAIR | {"ca_file": "nowhere.pem", "key_file": "../tls/other.key"},
            {"key_file": OTHER, "ca_file": MISSING},
        ),
    ],
    ids=str,
)
def test_files_that_cannot_be_used(
    folder: Path, strange: Path, capsys: pytest.CaptureFixture[str], tls: dict[str, str], told: dict[str, str]
) -> None:
    """`check` tells every fault with its place, and neither `serve` nor a gateway begins with one."""
    (folder / "strange").symlink_to(strange)
    lines = [f"  {key}: {name}" for key, name in tls.items()]
    (folder / "upstreams" / "a.yaml").write_text("\n".join([f"{UPSTREAM}tls:", *lines]))
    config = folder / "gateway.yaml"
    assert main(["check", "--config", str(config)]) == bool(told)
    said = capsys.readouterr().err.splitlines()[:-1]
    at = {key: f"{folder}/upstreams/a.yaml:{6 + list(tls).index(key)}:3 tls.{key}: " for key in told}
    assert len(said) == len(told)
    assert all(line.startswith(at[key] + fault) for line, (key, fault) in zip(said, told.items(), strict=True))
    with asyncio.Runner() as runner:
        for begin in (lambda: load_all(config, {}), lambda: pool_of(load(config).upstreams[0], runner.get_loop())):
            with pytest.raises(ConfigError) if told else contextlib.nullcontext() as caught:
                begin()
            assert caught is None or str(caught.value).splitlines() == said


def test_nobody_is_asked_for_a_passphrase(authority: Authority, strange: Path) -> None:
    """A key that was encrypted since it was checked is an error too, and no question at a terminal."""
    with pytest.raises(ValueError, match="encrypted"):
        client_context(authority.file, authority.file.parent / "gateway.pem", strange / "pkcs8.key")


def test_a_private_key_is_never_shown(folder: Path, authority: Authority) -> None:
    """What is known of a key is where it is: nothing of it is in what is loaded, however it came there."""
    file = folder / "upstreams" / "a.yaml"
    key = (authority.file.parent / "gateway.key").read_text()
    begin = f"{UPSTREAM}tls:\n  cert_file: ../tls/gateway.pem\n  key_file: "
    file.write_text(begin + "../tls/gateway.key\n")
    assert key.splitlines()[1] not in repr(load_all(folder / "gateway.yaml", {}))
    indented = key.strip().replace("\n", "\n    ")
    for written in (f"|\n    {indented}\n", f">\n    {indented}\n", f'"{indented}"\n', f"{indented}\n"):
        file.write_text(begin + written)
        with pytest.raises(ConfigError) as caught:
            load(folder / "gateway.yaml")
        assert str(caught.value) == f"{file}:7:3 tls.key_file: write the path of a file, not what is in it"
