"""The dialects that come with Accord, and dialects of one's own on top of them.

A preset is read when it is asked for: a gateway serves few of them, and all together take long and much memory.
"""

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
    from importlib.resources.abc import Traversable

    from gateway.dialects.spec import WriteSpec

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


@cache
def names() -> tuple[str, ...]:
    """Return the names of all presets, in alphabetical order."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml")))


def detected() -> tuple[str, ...]:
    """Return the names of the presets that `dialect: auto` knows replies of, in alphabetical order."""
    return tuple(name for name in names() if spec(name).detect)


@cache
def written() -> Mapping[str, WriteSpec]:
    """Return how problems are written in the presets that say so, by the preset's name."""
    saying = [name for name in names() if "\nwrite:" in _text(name)]
    return {name: write for name in saying if (write := spec(name).write) is not None}


def specs() -> dict[str, DialectSpec]:
    """Return every preset by name: half a second and 20 MB, so only for who looks through all of them."""
    return {name: spec(name) for name in names()}


@cache
def spec(name: str) -> DialectSpec:
    """Return a preset.

    Raises:
        KeyError: there is no such preset.
    """
    if name not in names():
        raise KeyError(name)
    return parse({f"{name}.yaml": _text(name)})[name]


def _text(name: str) -> str:
    return _folder().joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _folder() -> Traversable:
    return resources.files("gateway.dialects").joinpath("presets")


def parse(files: Mapping[str, str]) -> dict[str, DialectSpec]:
    """Read presets: file name to text.

    Raises:
        ConfigError: a preset is not written as the language demands; it carries the faults of all.
    """
    found, faults = {}, []
    for name, text in files.items():
        read, wrong = validate(DialectSpec, Document(text, f"presets/{name}"))
        faults += wrong
        if read is not None:
            found[name.removesuffix(".yaml")] = read
    if faults:
        raise ConfigError(faults)
    return found


def chain(first: DialectSpec) -> tuple[DialectSpec, ...]:
    """Return the dialect and all that it extends, nearest first, each once.

    Raises:
        KeyError: it extends a dialect that does not exist.
    """
    found: dict[int, DialectSpec] = {}
    for link in _links(first):
        found.setdefault(id(link), link)
    own, *extended = found.values()
    last = [link for link in extended if link.name == LAST_RESORT]  # the last resort stays last, whoever names it first
    return (own, *(link for link in extended if link.name != LAST_RESORT), *last)


def _links(first: DialectSpec) -> Iterator[DialectSpec]:
    yield first
    for name in first.extends:
        yield from _links(spec(name))


def auto() -> Dialect:
    """Return the dialect that finds out which one an upstream speaks, with a memory of its own."""
    return AutoDialect(_options(), remembers=True)


@cache
def _options() -> Options:
    return Options([(spec(name), preset(name)) for name in detected()], preset(LAST_RESORT))


@cache
def preset(name: str) -> Dialect:
    """Return a preset, compiled; `auto` is the dialect that finds out, without a memory.

    Raises:
        KeyError: there is no such preset.
    """
    if name == AUTO:
        return AutoDialect(_options())
    return Dialect(chain(spec(name)))
