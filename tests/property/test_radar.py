"""Whatever stands in a body: the radar never raises, never shows a value, and never grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config import presets
from gateway.dialects.view import View
from gateway.model import Problem
from gateway.pipeline.advice import advise
from gateway.pipeline.normalise import normalise
from gateway.pipeline.radar import SAMPLE_BYTES, SHAPES_KEPT, Sightings, known_words
from tests.property.replies import exchanges

if TYPE_CHECKING:
    from gateway.model import Reply
    from gateway.pipeline.plan import Plan

WORDS = known_words(presets.specs().values())
SECRETS = st.sampled_from(
    [
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "AKIAIOSFODNN7EXAMPLE",
        "SAVE20NOW",
        "E_SECRET_CODE",
        "correct horse battery staple",
        "4111111111111111",
        "someone@example.com",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-05-01T10:00:30Z",
        "hunter2hunter",
        "كلمة السر",
    ]
)
NAMES = st.sampled_from(["code", "type", "status", "reason", "message", "errors", "error", "field", "id", "a"])
AS_NAMES = frozenset({"SAVE20NOW", "E_SECRET_CODE", "hunter2hunter"})
"""Secrets that nothing tells from the name of a member."""


def _trees(secret: str) -> st.SearchStrategy[Any]:
    """Return bodies with a secret at any place, as a part of a text and as a name too."""
    texts = st.sampled_from([secret, f"It is {secret} you know", f"{secret}.", "NOT_FOUND", ""])
    leaves = st.one_of(texts, st.integers(), st.booleans(), st.none())
    keys = NAMES if secret in AS_NAMES else st.one_of(NAMES, st.just(secret), st.just(f"key of {secret}"))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(keys, inner, max_size=6)),
        max_leaves=30,
    )


@given(pair=SECRETS.flatmap(lambda secret: st.tuples(st.just(secret), _trees(secret))), status=st.integers(400, 599))
@example(pair=("E_SECRET_CODE", {"error": {"code": "E_SECRET_CODE", "type": "E_SECRET_CODE"}}), status=400)
@example(pair=("4111111111111111", {"4111111111111111": {"4111111111111111": ["4111111111111111"]}}), status=400)
def test_no_value_is_shown(pair: tuple[str, Any], status: int) -> None:
    """Wherever a secret stands in a body, it stands nowhere in what the radar shows."""
    secret, tree = pair
    seen = Sightings(WORDS, None)
    seen.see(status, View(status, {b"content-type": b"application/json"}, msgspec.json.encode(tree)), 1.0)
    (shape,) = seen.shapes()
    shown = msgspec.json.encode(shape).decode()
    assert secret not in shown
    assert secret not in str(msgspec.json.decode(shape.sample))


@given(exchange=exchanges())
def test_any_reply_is_taken_note_of_without_a_change(exchange: tuple[Reply, Plan]) -> None:
    """In bounded memory, the same each time; what is shown is JSON, and the client is told what it always was."""
    reply, plan = exchange
    seen = Sightings(WORDS, None)
    results = [normalise(reply, plan, 0.0, unknown=seen) for _ in range(2)]
    assert results == [normalise(reply, plan, 0.0)] * 2
    assert len(seen) <= 1
    for shape in seen.shapes():
        assert isinstance(results[0], Problem)
        assert (shape.count, shape.statuses) == (2, [reply.status])
        assert len(bytes(shape.sample)) <= SAMPLE_BYTES
        msgspec.json.decode(msgspec.json.encode(shape))


@given(trees=st.lists(st.recursive(st.just(1), lambda inner: st.dictionaries(st.text(), inner)), max_size=60))
def test_the_store_never_grows(trees: list[Any]) -> None:
    """Whatever shapes an upstream makes up, so many are kept, and each reply is counted."""
    seen = Sightings(WORDS, None)
    for now_s, tree in enumerate(trees):
        seen.see(400, View(400, {b"content-type": b"application/json"}, msgspec.json.encode({"a": tree})), now_s)
    assert len(seen) <= SHAPES_KEPT
    assert seen.seen == len(trees)


@given(tree=SECRETS.flatmap(_trees))
def test_advice_is_yaml_or_nothing(tree: Any) -> None:  # noqa: ANN401 - JSON
    """And never raises."""
    seen = Sightings(WORDS, None)
    seen.see(400, View(400, {b"content-type": b"application/json"}, msgspec.json.encode(tree)), 1.0)
    (shape,) = seen.shapes()
    advise(shape)
    assert shape.suggested_rule is not None
    assert not shape.suggested_rule or list(yaml.safe_load(shape.suggested_rule)) == ["dialect"]
