"""The names under which problems can be written: those of the general views, and those of dialects that have `write`.

What is behind a name is made in `gateway.pipeline.writers`.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from gateway.config import presets
from gateway.config.faults import fault_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.config.document import Document
    from gateway.config.models import UpstreamFile
    from gateway.dialects.spec import WriteSpec
    from gateway.errors import Fault

PROBLEM_JSON: Final = "problem-json"
PROBLEM_XML: Final = "problem-xml"
JSON_API: Final = "json-api"
TEXT: Final = "text"
GENERAL: Final = (PROBLEM_JSON, PROBLEM_XML, JSON_API, TEXT)

Location = tuple[str | int, ...]


def of_presets() -> dict[str, WriteSpec]:
    """Return the presets that can be written, by name; a general view goes before a preset of its name."""
    found = {write.view or name: write for name, write in presets.written().items() if name not in GENERAL}
    return dict(sorted(found.items()))


def of_upstreams(upstreams: Iterable[UpstreamFile]) -> dict[str, WriteSpec]:
    """Return the dialects of upstreams' own that can be written, by name."""
    found = {}
    for settings in upstreams:
        own = settings.dialect.own
        if own is not None and own.write is not None:
            found[own.write.view or own.name or settings.name] = own.write
    return found


def unknown_views(gateway: Document, upstreams: Iterable[Document]) -> list[Fault]:
    """Find names of views that do not exist, and two views of one name; even where the rest is wrong."""
    files = list(upstreams)
    faults = []
    known = [*GENERAL, *of_presets()]
    for document in files:
        name, at = _own(document.value)
        if name in known:
            faults.append(fault_at(document, at, "a view has this name already: give the dialect another name"))
        elif name is not None:
            known.append(name)
    for document in (gateway, *files):
        faults += [_unknown(document, at, name, known) for at, name in _named(document.value) if name not in known]
    return faults


def _unknown(document: Document, at: Location, name: str, known: list[str]) -> Fault:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return fault_at(document, at, "there is no such view", hint)


def _own(value: Any) -> tuple[str | None, Location]:
    """Return under which name an upstream's own dialect is a view, and where that is said."""
    dialect = value.get("dialect") if isinstance(value, dict) else None
    write = dialect.get("write") if isinstance(dialect, dict) else None
    if not isinstance(dialect, dict) or not isinstance(write, dict):
        return None, ()
    places: tuple[tuple[Any, Location], ...] = (
        (write.get("view"), ("dialect", "write", "view")),
        (dialect.get("name"), ("dialect", "name")),
        (value.get("name"), ("name",)),
    )
    return next(((name, at) for name, at in places if isinstance(name, str)), (None, ()))


def _named(value: Any) -> Iterator[tuple[Location, str]]:
    """Give each view that a file names, with its place."""
    places: list[tuple[Location, Any]] = [((), value)]
    for key in ("clients", "routes"):
        listed = value.get(key) if isinstance(value, dict) else None
        places += [((key, index), inner) for index, inner in enumerate(listed if isinstance(listed, list) else ())]
    for at, inner in places:
        view = inner.get("view") if isinstance(inner, dict) else None
        if isinstance(view, str):
            yield (*at, "view"), view
