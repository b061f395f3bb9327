"""Configuration that a page shows in part, put into the file that is there, as its reader would."""

from __future__ import annotations

import re

_KEY = re.compile(r"^(?=[A-Za-z_]\w*:)", re.MULTILINE)


def merged(there: str, shown: str) -> str:
    """Return the text of a YAML file with the top-level keys of `shown` in place of its own of those names.

    Keys that are new come last. Comments between keys go with the key above them.
    """
    parts = _parts(there) | _parts(shown)
    return "".join(text if text.endswith("\n") else text + "\n" for text in parts.values())


def _parts(text: str) -> dict[str, str]:
    """Return the text of each top-level key, and what comes before the first under an empty name."""
    head, *keys = _KEY.split(text)
    return {"": head} | {part.partition(":")[0]: part for part in keys}
