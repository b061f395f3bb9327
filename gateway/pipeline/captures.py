"""Captured replies in the forms in which people have them, as values.

A file is raw HTTP as `curl -si` prints it (several replies in one file are fine), a HAR file, a line of JSON for each
reply as `accord try --jsonl` takes them, or a body alone with the status in the file's name. What a file is, its
content decides before its name.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from gateway.model import Reply
from gateway.pipeline.codings import undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.model import Headers

MOST_BYTES: Final = 32 * 2**20
"""Bytes of one file that are read: a security limit on memory."""
MOST_CAPTURES: Final = 2_000
_BODY_BYTES: Final = 2**20
_LONGEST_NAME: Final = 120
_CODED: Final = frozenset((b"content-encoding", b"transfer-encoding", b"content-length"))
_TYPES: Final = {".json": "application/json", ".xml": "application/xml", ".html": "text/html", ".txt": "text/plain"}
_head = re.compile(rb"^HTTP/[0-9](?:\.[0-9])? ([1-5][0-9]{2})\b", re.MULTILINE)
_status_in_name = re.compile(r"(?<![0-9])[1-5][0-9]{2}(?![0-9])")
_failed_in_name = re.compile(r"(?<![a-z])(error|fail|failed|failure|err|refused|invalid)(?![a-z])", re.IGNORECASE)
_worked_in_name = re.compile(r"(?<![a-z])(ok|success|worked)(?![a-z])", re.IGNORECASE)
_LINE_KEYS: Final = frozenset(("id", "name", "status", "headers", "body", "json", "dialect"))


class Capture(Struct, frozen=True, kw_only=True):
    """One captured reply. `name` says where it came from; `failed` what its name says of it; `url` what was asked."""

    name: str
    reply: Reply
    failed: bool | None = None
    url: str | None = None


class CaptureError(ValueError):
    """A file that holds no reply; the text says what is wrong with it and what to do."""


def captures_in(file: str, data: bytes) -> list[Capture]:
    """Return the replies in a file.

    Raises:
        CaptureError: it cannot be told what the file holds, or it holds no reply.
    """
    if len(data) > MOST_BYTES:
        raise CaptureError(f"is larger than {MOST_BYTES >> 20} MB: leave out what is no reply")
    if not data.strip():
        return [_bare(file, data)]
    if _head.match(data.lstrip()) is not None:
        return list(_raw(file, data.lstrip()))[:MOST_CAPTURES]
    found = _of_json(file, data)
    return [_bare(file, data)] if found is None else found[:MOST_CAPTURES]


def _of_json(file: str, data: bytes) -> list[Capture] | None:
    """Read a HAR file or lines of replies; None is for a body."""
    suffix = PurePath(file).suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return _lines(file, data)
    try:
        tree = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if suffix == ".har":
            raise CaptureError("is not JSON, as a HAR file must be") from None
        return _lines(file, data) if data.lstrip()[:1] == b"{" and b"}\n{" in data and b'"status"' in data else None
    if type(tree) is dict and type(tree.get("log")) is dict:
        return _har(tree)
    return [_line(tree, file)] if _is_line(tree) else None


def _is_line(tree: Any) -> bool:  # noqa: ANN401 - any JSON
    if type(tree) is not dict or type(tree.get("status")) is not int or not _LINE_KEYS.issuperset(tree):
        return False
    return type(tree.get("headers")) is dict or type(tree.get("body")) is str


def _lines(file: str, data: bytes) -> list[Capture]:
    found = []
    for number, text in enumerate(data.splitlines(), 1):
        if not text.strip():
            continue
        try:
            tree = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise CaptureError(f"line {number} is not JSON") from None
        if type(tree) is not dict or type(tree.get("status")) is not int:
            raise CaptureError(f'line {number} is no reply: one is {{"status": 422, "headers": {{}}, "body": "text"}}')
        found.append(_line(tree, str(tree.get("id") or tree.get("name") or f"{PurePath(file).stem} line {number}")))
    return found


def _line(tree: dict[str, Any], name: str) -> Capture:
    status, body, headers = tree["status"], tree.get("body"), tree.get("headers")
    if not 100 <= status <= 599:
        raise CaptureError(f"{status} is no HTTP status")
    if type(body) is not str:
        body = msgspec.json.encode(tree.get("json", body)).decode() if tree.get("json", body) is not None else ""
    pairs = headers.items() if type(headers) is dict else ()
    return _capture(name, status, [(str(key), str(value)) for key, value in pairs], body.encode("utf-8", "replace"))


def _har(tree: dict[str, Any]) -> list[Capture]:
    entries = tree["log"].get("entries")
    found = [one for entry in entries if (one := _entry(entry)) is not None] if type(entries) is list else []
    if not found:
        raise CaptureError("is a HAR file without a reply in it")
    return found


def _entry(entry: Any) -> Capture | None:  # noqa: ANN401 - any JSON
    response = entry.get("response") if type(entry) is dict else None
    if type(response) is not dict or type(response.get("status")) is not int or not 200 <= response["status"] <= 599:
        return None
    asked: dict[str, Any] = _member(entry, "request", dict)
    url: str = _member(asked, "url", str)
    fields: list[Any] = _member(response, "headers", list)
    pairs = [(str(one.get("name")), str(one.get("value"))) for one in fields if type(one) is dict]
    path = url.partition("?")[0].partition("://")[2].partition("/")[2]
    name = f"{response['status']} {_member(asked, 'method', str)} /{path}"
    found = _capture(name, response["status"], pairs, _content(_member(response, "content", dict)))
    return msgspec.structs.replace(found, url=url or None)


def _member(tree: dict[str, Any], name: str, kind: type) -> Any:  # noqa: ANN401 - any JSON
    found = tree.get(name)
    return found if type(found) is kind else kind()


def _content(content: dict[str, Any]) -> bytes:
    text: str = _member(content, "text", str)
    if content.get("encoding") != "base64":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return b""


def _raw(file: str, data: bytes) -> Iterator[Capture]:
    """Read the replies one after another; interim ones, and a proxy's word that it connected, are no replies."""
    starts = [match.start() for match in _head.finditer(data)]
    stem = PurePath(file).stem
    parts = [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    replies = [one for one in map(_split, parts) if not _is_interim(*one, several=len(parts) > 1)]
    if not replies:
        raise CaptureError("holds heads of interim replies alone")
    for number, (head, body) in enumerate(replies, 1):
        status = int(head[0].split(b" ")[1])
        pairs = [_pair(line) for line in head[1:] if b":" in line]
        yield _capture(stem if len(replies) == 1 else f"{stem} {number}", status, pairs, body)


def _split(part: bytes) -> tuple[list[bytes], bytes]:
    """Part a reply into the lines of its head and its body."""
    ends = [(at, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (at := part.find(end)) >= 0]
    at, length = min(ends, default=(len(part), 0))
    return part[:at].replace(b"\r\n", b"\n").split(b"\n"), part[at + length :].strip(b"\r\n")


def _is_interim(head: list[bytes], body: bytes, *, several: bool) -> bool:
    status = head[0].split(b" ")[1]
    return status.startswith(b"1") or (several and b"onnection established" in head[0] and not body)


def _pair(line: bytes) -> tuple[str, str]:
    name, _, value = line.partition(b":")
    return name.strip().decode("latin-1"), value.strip().decode("utf-8", "replace")


def _bare(file: str, data: bytes) -> Capture:
    """Read a body whose status is in the file's name."""
    name = PurePath(file)
    found = _status_in_name.search(name.name)
    if found is None:
        raise CaptureError(
            "has no status: keep the whole reply (curl -si), or put the status into the name, as in 422-order.json"
        )
    kind = _TYPES.get(name.suffix.lower())
    return _capture(name.stem, int(found.group()), [("Content-Type", kind)] if kind and data.strip() else [], data)


def _capture(name: str, status: int, pairs: list[tuple[str, str]], body: bytes) -> Capture:
    headers: Headers = tuple((key.encode("latin-1", "replace"), value.encode()) for key, value in pairs)
    codings = [value for key, value in headers if key.lower() == b"content-encoding"]
    decoded = undo(body, codings[0], _BODY_BYTES) if codings and body else None
    kept = tuple(pair for pair in headers if pair[0].lower() not in _CODED)
    reply = Reply(status=status, headers=kept, body=(body if decoded is None else decoded)[:_BODY_BYTES])
    return Capture(name=name[:_LONGEST_NAME], reply=reply, failed=_hint(name) if status < 400 else None)


def _hint(name: str) -> bool | None:
    hints: tuple[tuple[Callable[[str], Any], bool], ...] = (
        (_failed_in_name.search, True),
        (_worked_in_name.search, False),
    )
    return next((says for search, says in hints if search(name) is not None), None)
