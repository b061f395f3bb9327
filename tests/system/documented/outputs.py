"""What a command printed, held against what its page shows. `…` stands for whatever varies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.documented.pages import Printed


def difference(shown: Printed, printed: str) -> str | None:
    """Return how the output of a command differs from what is shown, or None."""
    match shown.language:
        case "http":
            found = list(_head_differs(shown.text, printed))
        case "json":
            found = list(_json_differs(shown, printed))
        case _:
            found = [] if _pattern(shown.text).fullmatch(_trimmed(printed)) else [f"is not\n{shown.text}"]
    return "; ".join(found) or None


def _trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())


def _pattern(shown: str) -> re.Pattern[str]:
    """Return the pattern of a text: a line of `…` alone is any number of lines, one within a line any characters."""
    lines = _trimmed(shown).splitlines()
    return re.compile("".join("(?:.*\n)*" if line.strip() == "…" else _line(line) + "\n" for line in lines))


def _line(shown: str) -> str:
    return ".*".join(re.escape(part) for part in shown.split("…"))


def _head_differs(shown: str, printed: str) -> Iterator[str]:
    """Yield the lines of a head that are shown and were not printed; the case of a field's name is not compared."""
    head = printed.replace("\r", "").partition("\n\n")[0].splitlines()
    for line in shown.partition("\n\n")[0].splitlines():
        name, colon, value = line.partition(":")
        pattern = f"(?i:{re.escape(name)}):{_line(value)}" if colon and not line.startswith("HTTP/") else _line(line)
        if not any(re.fullmatch(pattern, one) for one in head):
            yield f"has no line `{line}`"


def _json_differs(shown: Printed, printed: str) -> Iterator[str]:
    text = printed.replace("\r", "")
    body = text.partition("\n\n")[2] if text.startswith("HTTP/") else text
    try:
        value = json.loads(body)
    except ValueError:
        yield "is no JSON"
    else:
        yield from _differs(json.loads(shown.text), value, "", shown.varies)


def _differs(shown: Any, value: Any, path: str, varies: frozenset[str]) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield where a value is not as shown: an object has at least the members shown."""
    match shown, value:
        case dict(), dict():
            yield from (f"{path}.{name} is missing" for name in shown.keys() - value.keys())
            for name in shown.keys() & value.keys() - varies:
                yield from _differs(shown[name], value[name], f"{path}.{name}", varies)
        case list(), list() if len(shown) == len(value):
            for number, (one, other) in enumerate(zip(shown, value, strict=True)):
                yield from _differs(one, other, f"{path}[{number}]", varies)
        case str(), str() if re.fullmatch(_line(shown), value, re.DOTALL):
            pass
        case _ if shown != value:
            yield f"{path} is {_as_json(value)}, but {_as_json(shown)} is shown"


def _as_json(value: Any) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, ensure_ascii=False)
