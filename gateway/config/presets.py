"""The dialects that come with Accord, and dialects of one's own on top of them."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from gateway.config.document import Document
from gateway.config.faults import validate
from gateway.dialects.auto import AutoDialect, Options
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

AUTO = "auto"
LAST_RESORT = "generic"
_LONGEST_NAME = 80


def hint(name: str, *, also: Iterable[str] = ()) -> str:
    """Return what helps whoever wrote the name of a preset that does not exist; `also` may stand there, too."""
    if name == AUTO:
        return "auto can be chosen, not extended"
    known, asked = (*also, *names()), name.lower()[:_LONGEST_NAME]
    near = get_close_matches(asked, known, n=1) or [one for one in known if asked and asked in one]
    return f"did you mean {near[0]}?" if near else "docs/reference/presets has a page for each"


def names() -> tuple[str, ...]:
    """Return the names of all presets, in alphabetical order."""
    return tuple(sorted(specs()))


def detected() -> tuple[str, ...]:
    """Return the names of the presets that `dialect: auto` knows replies of, in alphabetical order."""
    return tuple(name for name in names() if specs()[name].detect)


@cache
def specs() -> dict[str, DialectSpec]:
    """Return every preset by name."""
    folder = resources.files("gateway.dialects").joinpath("presets")
    files = (file for file in folder.iterdir() if file.name.endswith(".yaml"))
    return parse({file.name: file.read_text(encoding="utf-8") for file in files})


def parse(files: Mapping[str, str]) -> dict[str, DialectSpec]:
    """Read presets: file name to text.

    Raises:
        ConfigError: a preset is not written as the language demands; it carries the faults of all.
    """
    found, faults = {}, []
    for name, text in files.items():
        spec, wrong = validate(DialectSpec, Document(text, f"presets/{name}"))
        faults += wrong
        if spec is not None:
            found[name.removesuffix(".yaml")] = spec
    if faults:
        raise ConfigError(faults)
    return found


def chain(spec: DialectSpec) -> tuple[DialectSpec, ...]:
    """Return the dialect and all that it extends, nearest first, each once.

    Raises:
        KeyError: it extends a dialect that does not exist.
    """
    found: dict[int, DialectSpec] = {}
    for link in _links(spec):
        found.setdefault(id(link), link)
    own, *extended = found.values()
    last = [link for link in extended if link.name == LAST_RESORT]  # the last resort stays last, whoever names it first
    return (own, *(link for link in extended if link.name != LAST_RESORT), *last)


def _links(spec: DialectSpec) -> Iterator[DialectSpec]:
    yield spec
    for name in spec.extends:
        yield from _links(specs()[name])


def auto() -> Dialect:
    """Return the dialect that finds out which one an upstream speaks, with a memory of its own."""
    return AutoDialect(_options(), remembers=True)


@cache
def _options() -> Options:
    return Options([(specs()[name], preset(name)) for name in detected()], preset(LAST_RESORT))


@cache
def preset(name: str) -> Dialect:
    """Return a preset, compiled; `auto` is the dialect that finds out, without a memory.

    Raises:
        KeyError: there is no such preset.
    """
    if name == AUTO:
        return AutoDialect(_options())
    return Dialect(chain(specs()[name]))
