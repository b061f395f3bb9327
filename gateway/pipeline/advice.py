"""What to write into an upstream's file so that replies of an unknown shape are known from then on.

Worked out from the sample alone, with texts of the same kinds in place of its markers: no advice can hold what no
sample does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from gateway.model import Reply
from gateway.pipeline.markers import STAND_IN_NAME, stand_ins
from gateway.pipeline.suggest import suggest
from gateway.pipeline.suggest.yaml_text import block

if TYPE_CHECKING:
    from gateway.pipeline.radar import UnknownShape

_JSON: Final = ((b"Content-Type", b"application/json"),)
_TREES: Final = frozenset(("json", "xml", "form"))
_NONE: Final = ""


def advise(shape: UnknownShape) -> None:
    """Put a suggested rule to a shape, once: `dialect:` as it stands in an upstream's file, empty where there is none.

    Pages and plain texts have no members that a rule could be made of, and what stands under the keys of a map has no
    path. It takes tens of milliseconds.
    """
    if shape.suggested_rule is None:
        shape.suggested_rule = _suggested(shape) if shape.kind.value in _TREES else _NONE


def _suggested(shape: UnknownShape) -> str:
    body = msgspec.json.encode(stand_ins(msgspec.json.decode(shape.sample)))
    status = shape.statuses[0]
    found = suggest([Reply(status=status, headers=_JSON, body=body)], failed=[True], use_presets=False, always_own=True)
    if isinstance(found.dialect, str):
        return _NONE
    text = block({"dialect": found.dialect})  # without remarks on codes, which would be those of the stand-ins
    return _NONE if STAND_IN_NAME in text else text
