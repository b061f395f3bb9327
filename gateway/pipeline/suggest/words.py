"""What a member's name and its value say of the part that it plays in an error.

Names are weighed as words (`errorCode`, `error_code` and `ERROR-CODE` are one), values by their form alone: a sentence,
a token, a status, an id. No phrase of any API is known here, and nothing here looks at more than the first characters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from gateway.catalog.fields import fold_code
from gateway.dialects.text import clean, is_usable
from gateway.pipeline.suggest.vocabulary import VOCABULARY, weights

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_NAME: Final = 64
_LONGEST_TOKEN: Final = 80
_SHORTEST_ID: Final = 6
_token = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/#+-]*").fullmatch
_mark = re.compile(r"[A-Z]{1,8}[-_]?[0-9]{1,8}|[A-Z0-9]+(?:[_.-][A-Z0-9]+)+|[a-z0-9]+(?:[_.-][a-z0-9]+)+").fullmatch
_name_of_field = re.compile(r"[A-Za-z_$@#/\[][^\s,;!?]{0,127}").fullmatch
_hexadecimal = re.compile(r"[0-9A-Fa-f-]{16,}").fullmatch
_date = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?").fullmatch
_address = re.compile(r"[a-z][a-z+.-]*://.*|[^@\s]+@[^@\s]+\.[^@\s]+|www\..*").fullmatch

MESSAGE: Final = weights(VOCABULARY.names.message)
CODE: Final = weights(VOCABULARY.names.code)
TYPE: Final = weights(VOCABULARY.names.type)
FIELD: Final = weights(VOCABULARY.names.field)
LOCATION: Final[Mapping[str, int]] = {"in": 10, "location": 9, "where": 6, "source": 5, "part": 6, "param in": 9}
FIELDS: Final = weights(VOCABULARY.names.fields)
_NOT_WORDS: Final = frozenset(
    [
        "stack",
        "trace",
        "stacktrace",
        "exception",
        "debug",
        "help",
        "documentation",
        "docs",
        "doc",
        "link",
        "links",
        "url",
        "href",
        "uri",
        "docs",
        "more",
        "support",
        "hint",
        "developer",
        "internal",
        "path",
        "timestamp",
        "time",
        "date",
        "method",
        "host",
        "version",
        "locale",
        "lang",
        "language",
    ]
)
_OF_A_REQUEST: Final = frozenset(
    [
        "request",
        "req",
        "trace",
        "correlation",
        "transaction",
        "log",
        "incident",
        "reference",
        "debug",
        "operation",
        "event",
        "span",
        "ray",
        "session",
    ]
)
_OF_AN_ID: Final = frozenset(["id", "uuid", "guid", "ref", "reference", "number", "key", "no"])
_WHOLE_IDS: Final = frozenset(
    ("reference", "trace", "ticket", "rid", "ray", "incident", "correlation", "fbtrace id", "requestid")
)
_STATUS_NAMES: Final = frozenset(
    (
        "status",
        "status code",
        "http status",
        "http status code",
        "http code",
        "code",
        "http",
        "error code",
        "statuscode",
    )
)
_ENDS: Final = ("message", "msg", "code", "text", "field", "param")
_WAITING: Final = frozenset(["retry", "wait", "backoff", "cooldown"])


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return the words of a name, in lower case, with a space between them."""
    return fold_code(name[:_LONGEST_NAME]).strip()


def weight(name: str, table: Mapping[str, int]) -> int:
    """Return how well a name fits a part: its whole, else its last word, which counts for less."""
    whole = folded(name)
    found = table.get(whole)
    if found is None:
        last = whole.rpartition(" ")[2]
        end = next((one for one in _ENDS if last.endswith(one)), last)
        found = max(0, table.get(last, table.get(end, 0)) - 3)
    return found


def is_aside(name: str) -> bool:
    """Say whether a name is of what stands beside an error: help, links, traces, when and where."""
    return not _NOT_WORDS.isdisjoint(folded(name).split())


def is_sentence(value: Any) -> bool:
    """Say whether a value is a text for people: several words."""
    return (
        type(value) is str and " " in value[:400].strip() and any(map(str.isalpha, value[:400])) and bool(clean(value))
    )


def is_text(value: Any) -> bool:
    """Say whether a value is a text that could be shown to a person, a single word too."""
    if type(value) is not str or not value.strip():
        return False
    text = clean(value)
    return bool(text) and any(map(str.isalpha, text)) and is_usable(text) and not is_foreign(text)


def is_foreign(text: str) -> bool:
    """Say whether a text is an address, a date or an id, and hence neither a message nor a code."""
    text = text[:200].strip()
    return any(form(text) is not None for form in (_address, _date)) or is_id(text)


def is_id(value: Any) -> bool:
    """Say whether a text is made by a machine to be unique: a UUID, a long hexadecimal number."""
    return type(value) is str and _hexadecimal(value[:200]) is not None and any(map(str.isdigit, value))


def is_token(value: Any) -> bool:
    """Say whether a value can be a code: an identifier, or a number that is none of a machine."""
    if type(value) is int:
        return -(10**7) < value < 10**9
    return type(value) is str and len(value) <= _LONGEST_TOKEN and _token(value) is not None and not is_foreign(value)


def is_mark(value: Any) -> bool:
    """Say whether a text can hardly be anything but a code: `E_STOCK`, `out_of_stock`, `ab.12`."""
    return type(value) is str and is_token(value) and _mark(value) is not None


def is_field_name(value: Any) -> bool:
    """Say whether a value can name a field: no space in it, or a list of keys and positions."""
    if type(value) is list:
        return 0 < len(value) <= 16 and all(type(part) in (str, int) for part in value)
    return type(value) is str and _name_of_field(value[:200]) is not None and not is_foreign(value)


def names_a_request(name: str) -> bool:
    """Say whether a name is that of a request's id."""
    whole = folded(name)
    words = frozenset(whole.split())
    return whole in _WHOLE_IDS or not (words.isdisjoint(_OF_A_REQUEST) or words.isdisjoint(_OF_AN_ID))


def is_request_id(name: str, value: Any) -> bool:
    """Say whether a member holds the id of a request."""
    return type(value) is str and len(value) >= _SHORTEST_ID and " " not in value and names_a_request(name)


def names_a_status(name: str) -> bool:
    """Say whether a name can be that of a status."""
    return folded(name) in _STATUS_NAMES


def names_a_wait(name: str) -> bool:
    """Say whether a name is that of the time after which to try again."""
    return not _WAITING.isdisjoint(folded(name).split())
