"""A suggestion as the YAML that stands in an upstream's file, with what a person has to look at as comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.pipeline.suggest.yaml_text import block, scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.pipeline.suggest.suggestion import Suggestion


def dialect_yaml(suggestion: Suggestion) -> str:
    """Return `dialect:` and what stands under it."""
    value, comments = with_comments(suggestion)
    return block(value, comments)


def with_comments(suggestion: Suggestion) -> tuple[dict[str, Any], Mapping[tuple[str, ...], list[str]]]:
    """Return the mapping that has `dialect` in it, and the comments by the keys that lead there."""
    spec = suggestion.dialect
    comments: dict[tuple[str, ...], list[str]] = {}
    lines = [f"{scalar(code)}: {guess}   # {why}" for code, (guess, why) in suggestion.open_codes.items()]
    lines += [f"{scalar(code)}: {ours}   # as the status says" for code, ours in suggestion.told_codes.items()]
    if lines and isinstance(spec, dict):
        named = bool(spec.get("codes"))
        title = ["codes:   # what the API's codes mean, where the status does not say it"]
        comments[("dialect", "codes", "") if named else ("dialect", "")] = (
            lines if named else [*title, *(f"  {line}" for line in lines)]
        )
    if isinstance(spec, dict) and "success" in spec:
        comments["dialect", "success"] = [
            "Clients get what is in `data`; leave this out and successes pass as they are."
        ]
    return {"dialect": spec}, comments
