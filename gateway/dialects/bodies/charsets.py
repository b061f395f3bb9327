"""Bytes in any charset that occurs to UTF-8.

A byte order mark counts first, then what can be read as UTF-8 (hardly anything else ever can), then what the content
type or an XML declaration says.
"""

from __future__ import annotations

import codecs

from gateway.dialects.bodies.body import SPACE

# Charsets that occur. No other name is looked up: Python knows codecs that are none, and remembers each name for ever.
_WIDE_CHARSETS = frozenset({"utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be"})
_CHARSETS = _WIDE_CHARSETS.union(
    ("latin1", "latin-1", "cp1252", "cp1256", "koi8-r", "koi8-u", "gbk", "gb2312", "gb18030", "big5"),
    ("euc-kr", "euc-jp", "shift_jis", "shift-jis"),
    (f"windows-{page}" for page in range(1250, 1259)),
    (f"iso-8859-{part}" for part in range(1, 17) if part != 12),
)
_WITHOUT_MARK = {"utf-16": "utf-16le", "utf-32": "utf-32le"}  # the commoner order of bytes
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before that of UTF-16, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARATION = 128  # bytes in which an XML declaration names its encoding


def is_utf8(content_type: str) -> bool:
    """Say whether a `Content-Type` in lower case leaves JSON in UTF-8, its only charset (RFC 8259 section 8.1)."""
    return _charset(content_type.partition(";")[2]) not in _CHARSETS


def decoded(data: bytes, parameters: str) -> bytes:
    """Return a text as UTF-8 without a byte order mark; `parameters` are those of its content type, in lower case."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[3:] if encoding == "utf-8" else _as_utf8(data, encoding)
    if b"\0" in data[:4] and (wide := _wide(data[:4])) is not None:
        return _as_utf8(data, wide)
    charset = _charset(parameters)
    if b"\0" in data and charset in _WIDE_CHARSETS:
        return _as_utf8(data, _WITHOUT_MARK.get(charset, charset))
    if _is_utf8(data):
        return data
    if charset not in _CHARSETS:
        charset = _declared(data)
    return data if charset not in _CHARSETS else _as_utf8(data, _WITHOUT_MARK.get(charset, charset))


def _as_utf8(data: bytes, encoding: str) -> bytes:
    """Return a text in UTF-8, without half a character at its end."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(data).encode("utf-8", "replace")


def _charset(parameters: str) -> str:
    return parameters.partition("charset=")[2].strip(' "').partition(";")[0].strip(' "')


def _wide(start: bytes) -> str | None:
    """Return the encoding of a text whose first two characters are ASCII, known by where it has no bits."""
    return _BY_ZEROS.get(bytes(byte and 1 for byte in start))


_BY_ZEROS = {
    b"\1\0\0\0": "utf-32le",
    b"\0\0\0\1": "utf-32be",
    b"\1\0\1\0": "utf-16le",
    b"\0\1\0\1": "utf-16be",
}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _declared(data: bytes) -> str:
    """Return what `<?xml version="1.0" encoding="windows-1256"?>` says, or an empty text."""
    start = data[:_DECLARATION].lstrip(SPACE)
    if not start.startswith(b"<?xml"):
        return ""
    said = start.partition(b"?>")[0].partition(b"encoding")[2].lstrip(b" \t\r\n=")
    return said[1:].partition(said[:1] or b'"')[0].decode("latin-1").lower()
