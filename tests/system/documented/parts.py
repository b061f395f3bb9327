"""The API of the pages' examples, `https://api.parts.example`, in a thread: what a reader's own API would be."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

HOST: Final = "api.parts.example"
_NO_STOCK: Final = (409, {"X-Trace": "t-811"}, {"fault": {"kind": "E_STOCK", "text": "Only 2 of these are left."}})
_ORDER: Final[tuple[int, dict[str, str], object]] = (200, {}, {"id": 7, "lines": []})
_NO_ORDER: Final = (404, {"X-Trace": "t-812"}, {"fault": {"kind": "E_ORDER", "text": "There is no order 9."}})
_INPUTS: Final = {"inputs": [{"name": "lines.0.count", "why": "It is required."}]}
_LACKING: Final = {"fault": {"kind": "E_STOCK", "text": "Only 2 of these are left."} | _INPUTS}
ANSWERS: Final[dict[tuple[str, str], tuple[int, dict[str, str], object]]] = {
    ("POST", "/v1/orders"): _NO_STOCK,
    ("PUT", "/v1/orders/7"): (409, {}, _LACKING),
    ("PATCH", "/v1/orders/7"): (400, {}, _LACKING),
    ("GET", "/v1/orders"): _ORDER,
    ("GET", "/v1/orders/7"): _ORDER,
    ("GET", "/v1/orders/9"): _NO_ORDER,
}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        status, fields, value = ANSWERS.get((self.command, path), _NO_ORDER)
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in ({"Content-Type": "application/json", "Content-Length": str(len(body))} | fields).items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing: what a page prints is compared."""


def serve(certificate: Path, key: Path) -> None:
    """Serve on 127.0.0.1:443 as long as the process lives."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 443), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
