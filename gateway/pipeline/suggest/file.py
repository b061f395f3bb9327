"""A whole upstream file, as text, from captured replies: facts, rules, and the captures as its tests."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from gateway.config import presets
from gateway.config.document import Document
from gateway.config.load import upstream_of
from gateway.errors import Fault
from gateway.pipeline.suggest import MOST_REPLIES, suggest
from gateway.pipeline.suggest.choice import compiled
from gateway.pipeline.suggest.example import examples_of
from gateway.pipeline.suggest.suggestion import Suggestion
from gateway.pipeline.suggest.writing import with_comments
from gateway.pipeline.suggest.yaml_text import block
from gateway.pipeline.verify import verify_upstream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.pipeline.captures import Capture

_SCHEMA: Final = "# yaml-language-server: $schema=../schema/upstream.schema.json"
_WIDEST_LIST: Final = 8


class Facts(Struct, frozen=True, kw_only=True):
    """What replies do not say of an API. `guessed` tells that the address is a placeholder."""

    name: str
    base_url: str
    prefix: str
    guessed: bool = False


class Inferred(Struct, frozen=True, kw_only=True):
    """A file's text, what it was made of, and what `accord check` has to say of it (nothing, when all is well)."""

    text: str
    suggestion: Suggestion
    names: tuple[str, ...]
    faults: tuple[Fault, ...]
    examples: int


def infer(captures: Sequence[Capture], facts: Facts, *, use_presets: bool = True, always_own: bool = False) -> Inferred:
    """Return an upstream file for some captures, with each distinct one as an example that passes."""
    captures = captures[:MOST_REPLIES]
    suggestion = suggest(
        [capture.reply for capture in captures],
        failed=[capture.failed for capture in captures],
        use_presets=use_presets,
        always_own=always_own,
    )
    spec = suggestion.dialect
    dialect = presets.preset(spec) if isinstance(spec, str) else compiled(spec)
    examples = examples_of(captures, [reading.is_error for reading in suggestion.readings], dialect)
    text = _text(facts, suggestion, examples, captures)
    upstream, faults = upstream_of(Document(text, f"{facts.name}.yaml"))
    return Inferred(
        text=text,
        suggestion=suggestion,
        names=tuple(capture.name for capture in captures),
        faults=tuple(faults if upstream is None else verify_upstream(upstream)),
        examples=len(examples),
    )


def _text(facts: Facts, suggestion: Suggestion, examples: list[dict[str, Any]], captures: Sequence[Capture]) -> str:
    dialect, comments = with_comments(suggestion)
    head = {"version": 1, "name": facts.name, "base_url": facts.base_url, "match": {"prefix": facts.prefix}}
    notes = dict(comments)
    if facts.guessed:
        notes["base_url",] = ["Say where the API is."]
    notes["examples",] = [
        "Each distinct reply, shortened, with secrets and personal data replaced, and what clients get for it.",
        "Read them through: what `expect` says is what this file does now, and not always what it should.",
    ]
    lines = [_SCHEMA, *_about(suggestion, captures)]
    return "\n".join(lines) + "\n" + block(head | dialect | {"examples": examples}, notes)


def _about(suggestion: Suggestion, captures: Sequence[Capture]) -> list[str]:
    """Return the comment at the top: from what the file was inferred, and what to check."""
    met = Counter(capture.reply.status for capture in captures)
    statuses = ", ".join(f"{status} ({count})" if count > 1 else str(status) for status, count in sorted(met.items()))
    lines = [f"# Inferred by `accord infer` from {len(captures)} replies: {statuses}."]
    checks = list(suggestion.unsure)
    if suggestion.open_codes:
        shown = ", ".join(list(suggestion.open_codes)[:_WIDEST_LIST])
        checks.append(f"the meaning of these codes is not settled: {shown}")
    if not any(status < 400 for status in met):
        checks.append("no success was among the replies: errors under 2xx, and an envelope, could not be seen")
    return lines + (["# Check:"] + [f"# - {check}" for check in checks] if checks else [])
