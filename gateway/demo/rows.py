"""What a demo API answers, as a table: the first row that fits a request answers it.

Pure: rows know nothing of sockets; `gateway.demo.servers` sends them. In a body `@BASE@` stands for the address of the
API itself, in a header value `@SOON@` for the time `SOON_S` from now in epoch seconds.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.model import Header, Headers

SOON_S: Final = 30
PAUSE_LIMIT_S: Final = 120.0
ANY: Final = "*"
"""As a row's method: every method."""
JSON: Final[Header] = (b"Content-Type", b"application/json")
HTML: Final[Header] = (b"Content-Type", b"text/html; charset=utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request: its path and query as sent, header names in lower case, and the whole body."""

    method: str = "GET"
    path: str = "/"
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""

    def members(self) -> dict[str, object]:
        """Return the members of the JSON object in the body; none where it is no JSON object."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, object])
        except ValueError:  # msgspec's errors, and text that is not UTF-8
            return {}


@dataclass(frozen=True, slots=True)
class Row:
    """One answer, and the requests that get it.

    `path` may carry a query, whose parameters the request must have. `when` is one more condition; `everywhere` makes
    the row fit any path, `path` being an example. `sample_headers` and `sample_body` belong to a request that gets this
    row. `pause_s` passes before the first byte; `missing_bytes` are promised by Content-Length and never sent.
    """

    method: str
    path: str
    status: int
    about: str
    _: KW_ONLY
    headers: Headers = (JSON,)
    body: bytes | Callable[[Asked], bytes] = b""
    when: Callable[[Asked], bool] | None = None
    everywhere: bool = False
    sample_headers: Headers = ()
    sample_body: bytes = b""
    pause_s: float = 0.0
    missing_bytes: int = 0

    def fits(self, asked: Asked) -> bool:
        """Say whether this row answers `asked`."""
        method = "GET" if asked.method == "HEAD" else asked.method
        return self.method in {ANY, method} and self.fits_path(asked) and (self.when is None or self.when(asked))

    def fits_path(self, asked: Asked) -> bool:
        """Say whether this row belongs to the path and the query of `asked`, whatever the method."""
        path, _, query = self.path.partition("?")
        wanted = (pair.partition("=") for pair in query.split("&") if pair)
        return self.everywhere or (
            path == asked.path and all(asked.query.get(name) == value for name, _, value in wanted)
        )

    def body_for(self, asked: Asked, base_url: str) -> bytes:
        """Return the body's bytes, with links under `base_url`."""
        body = self.body(asked) if callable(self.body) else self.body
        return body.replace(b"@BASE@", base_url.encode())

    def headers_at(self, now_s: float) -> Headers:
        """Return the header pairs at the time `now_s` (epoch seconds)."""
        soon = str(int(now_s) + SOON_S).encode()
        return tuple((name, value.replace(b"@SOON@", soon)) for name, value in self.headers)

    def pause_for(self, asked: Asked) -> float:
        """Return the seconds before the first byte: on a row that pauses, `?s=` may choose others."""
        if not self.pause_s:
            return 0.0
        chosen = asked.query.get("s", "")
        return min(float(chosen), PAUSE_LIMIT_S) if chosen.isascii() and chosen.isdigit() else self.pause_s


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoApi:
    """A demo API: its rows, what it answers where none fits, and the header pairs that its clients usually send."""

    dialect: str
    rows: tuple[Row, ...]
    not_found: Row
    method_not_allowed: Row
    usual_headers: Headers = ()

    def answer(self, asked: Asked) -> Row:
        """Return the row that answers `asked`; `/` lists them all."""
        if asked.path == "/":
            return self._listing()
        found = next((row for row in self.rows if row.fits(asked)), None)
        if found is not None:
            return found
        return self.method_not_allowed if any(row.fits_path(asked) for row in self.rows) else self.not_found

    def _listing(self) -> Row:
        paths = [
            {"method": row.method, "path": row.path, "status": row.status, "about": row.about} for row in self.rows
        ]
        return Row(ANY, "/", 200, "This list.", body=as_json({self.dialect: paths}))


def as_json(value: object) -> bytes:
    """Return `value` as indented JSON with a line feed, for people who look at it with curl."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def hazards(body: bytes, error: bytes) -> tuple[Row, ...]:
    """Return the rows of what goes wrong below any dialect, with the body of some success and of some error."""
    page = "<!doctype html><title>Back soon</title><h1>Back soon</h1><p>We are changing the shelves.</p>\n"
    return (
        Row(ANY, "/slow", 200, "Waits 5 s (?s=SECONDS) before the first byte.", body=body, pause_s=5),
        Row(ANY, "/cut", 200, "Ends before the length it promised.", body=body, missing_bytes=100),
        Row(ANY, "/cut/500", 500, "An error, cut in the middle.", body=error, missing_bytes=100),
        Row(ANY, "/broken-json", 500, "An error whose JSON is not complete.", body=error[:-9]),
        Row(ANY, "/empty", 500, "An error without a word.", headers=()),
        Row(
            ANY,
            "/maintenance",
            503,
            "An HTML page in place of JSON, with Retry-After.",
            headers=(HTML, (b"Retry-After", b"60")),
            body=page.encode(),
        ),
    )
