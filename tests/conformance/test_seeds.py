"""Every body in the founding documents goes through a real gateway, and comes out in the unified format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.harness import gateway, on_uvloop, upstream
from tests.integration.origin import head, send, serve
from tests.shared import FOLDER, reads_shared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = reads_shared


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A body of a document, and what must come of it: a status and a code, or a unified success."""

    dialect: str
    status: int
    body: Any
    expected: tuple[int, str] | None


_OK = None
_SALLA: list[tuple[int, tuple[int, str] | None]] = [
    (200, _OK),
    (422, (422, "validation_failed")),
    (401, (401, "account_deleted")),
    (401, (401, "account_inactive")),
    (401, (400, "grant_invalid")),
    (401, (403, "insufficient_scope")),
    (401, (401, "token_invalid")),
]
_EXPECTED: dict[str, tuple[str, list[tuple[int, tuple[int, str] | None]]]] = {
    "salla-responses.txt": ("salla", _SALLA),
    "salla-responses-with-site-map.txt": ("salla", _SALLA),
    "status-message-body-codes.txt": ("status-message-body", [(400, (422, "validation_failed"))]),
    "status-message-body-responses.txt": (
        "status-message-body",
        [
            (200, _OK),
            (200, _OK),
            (200, _OK),
            (200, _OK),
            (201, _OK),
            (400, (422, "validation_failed")),
            (400, (422, "validation_failed")),
            (200, _OK),
        ],
    ),
    "type-code-param-errors.txt": ("type-code-param", [(403, (403, "permission_denied"))]),
}


def _bodies(text: str) -> Iterator[Any]:
    """Give every JSON value in a page that is a reply; one page shows only the members of an object."""
    decoder = json.JSONDecoder(strict=False)
    if '"type": "authentication"' in text:
        members = [line for line in text.splitlines() if line.startswith('"')]
        yield json.loads("{" + "\n".join(members) + "}")
        return
    at = 0
    while (at := min((found for mark in "{[" if (found := text.find(mark, at)) >= 0), default=-1)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
            continue
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and {"status", "error"} & first.keys():
            yield value


def _seeds() -> Iterator[Any]:
    for name, (dialect, expectations) in _EXPECTED.items():
        path = FOLDER / "seeds" / name
        bodies = list(_bodies(path.read_text(encoding="utf-8"))) if path.is_file() else []
        for number, ((status, expected), body) in enumerate(zip(expectations, bodies, strict=bool(bodies))):
            yield pytest.param(
                Seed(dialect=dialect, status=status, body=body, expected=expected), id=f"{name}-{number}"
            )


@pytest.mark.parametrize("seed", list(_seeds()) or [pytest.param(None, id="no documents")])
@on_uvloop
async def test_a_documented_body_comes_out_unified(seed: Seed, tmp_path: Path) -> None:
    """What an API's own page shows is read as that page means it."""
    body = json.dumps(seed.body, ensure_ascii=False).encode()
    lines = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (seed.status, len(body))
    async with (
        serve((head(), send(lines + body))) as origin,
        gateway(tmp_path, upstream(origin, dialect=seed.dialect)) as accord,
    ):
        answer = await accord.get("/api/x")
    document = answer.json()
    if seed.expected is None:
        assert (answer.status, answer.header("Accord-Format")) == (seed.status, b"unified")
        assert {"data", "meta"} == document.keys()
    else:
        assert (answer.status, document["code"]) == seed.expected
        assert document["upstream"]["status"] == seed.status
        fields = _fields(seed.body)
        assert [error["field"] for error in document["errors"]] == fields


def _fields(body: Any) -> list[str]:  # noqa: ANN401 - JSON
    reply = body[0] if isinstance(body, list) else body
    if isinstance(reply.get("error"), dict):
        return list(reply["error"].get("fields", {}))
    return list(reply.get("body", {}).get("fields", {}).values())
