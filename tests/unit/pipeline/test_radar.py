"""The store of unknown shapes: what is counted, what is kept, what goes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.config import presets
from gateway.dialects.view import View
from gateway.headers import Secrets
from gateway.model import Problem, Reply
from gateway.pipeline.normalise import normalise
from gateway.pipeline.radar import SAMPLE_BYTES, SHAPES_KEPT, STATUSES_KEPT, Sightings, known_words
from tests.unit.pipeline.plans import plan_with

JSON = ((b"Content-Type", b"application/json"),)
WORDS = known_words(presets.specs().values())
OWN = {"errors": [{"when": {"status": "4xx", "body": {"has": "fault.kind"}}, "code": "fault.kind"}]}


def view(body: object, content_type: bytes = b"application/json") -> View:
    """Return a reply as rules see it."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return View(400, {b"content-type": content_type}, raw)


def sightings(secrets: Secrets | None = None) -> Sightings:
    """Return the shapes of an upstream of which nothing was seen yet."""
    return Sightings(WORDS, secrets)


def shape(index: int) -> dict[str, Any]:
    """Return a body with a shape of its own."""
    return {f"name_{chr(97 + index // 26)}{chr(97 + index % 26)}": index}


def test_a_shape_is_counted_with_its_times_and_statuses() -> None:
    """First and last seen in Unix seconds, each status once, and all that is known of the body but its values."""
    seen = sightings()
    seen.see(400, view({"fault": {"kind": "E_STOCK", "text": "Only 2 are left"}}), 10.12345)
    seen.see(409, view({"fault": {"text": "None is left", "kind": "E_GONE"}}), 20.0)
    seen.see(400, view({"fault": {"kind": "E_STOCK", "text": "Only 2 are left"}}), 30.0)
    (one,) = seen.shapes()
    assert (one.count, one.first_seen, one.last_seen, one.statuses) == (3, 10.123, 30.0, [400, 409])
    assert json.loads(bytes(one.sample)) == {"fault": {"kind": "<code 7>", "text": "<text 15>"}}
    assert (one.kind, len(seen), seen.seen, one.suggested_rule) == ("json", 1, 3, None)


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "sample"),
    [
        (
            b"<html><title>Not now</title><h1>Not now</h1></html>",
            b"text/html",
            "html",
            {"title": "<text 7>", "h1": "<text 7>"},
        ),
        (b"the backend is away", b"text/plain", "text", "<text 19>"),
        (
            b"error=bad&why=not+so",
            b"application/x-www-form-urlencoded",
            "form",
            {"error": "<word 3>", "why": "<text 6>"},
        ),
        (b"\0\1\2", b"image/png", "opaque", None),
    ],
)
def test_bodies_of_every_kind_have_a_shape(body: bytes, content_type: bytes, kind: str, sample: object) -> None:
    """Pages, texts and forms; of what cannot be read only that it was there."""
    seen = sightings()
    seen.see(502, view(body, content_type), 1.0)
    (one,) = seen.shapes()
    assert (one.kind, json.loads(bytes(one.sample))) == (kind, sample)


def test_a_reply_without_a_body_has_no_shape() -> None:
    """There is nothing in it to teach a dialect."""
    seen = sightings()
    seen.see(404, view(b""), 1.0)
    assert (seen.seen, seen.shapes()) == (0, [])


def test_when_full_the_rarest_goes_and_of_those_the_one_not_seen_for_longest() -> None:
    """What it counted stays in the total."""
    seen = sightings()
    seen.see(400, view(shape(0)), 0.0)  # the one not seen for longest, but seen twice
    for index in range(SHAPES_KEPT):
        seen.see(400, view(shape(index)), float(index))
    seen.see(400, view(shape(SHAPES_KEPT)), 101.0)
    kept = [json.loads(bytes(one.sample)) for one in seen.shapes()]
    assert len(kept) == len(seen) == SHAPES_KEPT
    assert dict.fromkeys(shape(1), 0) not in kept
    assert all(dict.fromkeys(shape(index), 0) in kept for index in (0, 2, SHAPES_KEPT))
    assert seen.seen == SHAPES_KEPT + 2


def test_shapes_are_listed_by_how_often_they_were_seen() -> None:
    """Then the one seen last first."""
    seen = sightings()
    for index, now_s in ((0, 1.0), (1, 2.0), (1, 3.0), (2, 4.0)):
        seen.see(400, view(shape(index)), now_s)
    assert [(one.count, one.last_seen) for one in seen.shapes()] == [(2, 3.0), (1, 4.0), (1, 1.0)]


def test_statuses_are_bounded() -> None:
    """A shape that comes with every status fills no memory."""
    seen = sightings()
    for status in range(400, 400 + STATUSES_KEPT + 5):
        seen.see(status, view({"a": 1}), 1.0)
    assert seen.shapes()[0].statuses == list(range(400, 400 + STATUSES_KEPT))


def test_a_sample_is_bounded() -> None:
    """It is cut to fewer levels until it fits."""
    names = [f"member-of-the-reply-{chr(97 + index)}" for index in range(20)]
    tree = {name: {name + str(index % 10): {"a": dict.fromkeys(names, 1)}} for index, name in enumerate(names)}
    seen = sightings()
    seen.see(400, view(tree), 1.0)
    seen.see(400, view({f"{name}-{number}": number for name in names for number in "abc"}), 1.0)
    for one in seen.shapes():
        assert len(bytes(one.sample)) <= SAMPLE_BYTES
    assert "<more>" in bytes(seen.shapes()[0].sample).decode() + bytes(seen.shapes()[1].sample).decode()


def test_a_credential_of_ours_is_not_even_shown_as_a_name() -> None:
    """An upstream may write what it was sent anywhere."""
    seen = sightings(Secrets.of(["hunter-two"]))
    seen.see(400, view({"hunter-two": 1}), 1.0)
    assert json.loads(bytes(seen.shapes()[0].sample)) == {"[redacted]": 0}


def test_the_words_that_may_be_shown_are_codes_of_our_presets() -> None:
    """And no numbers, for a number may be anything."""
    assert {"UNAVAILABLE", "invalid_grant"} <= WORDS
    assert not any(word.isdigit() or len(word) < 3 for word in WORDS)


@pytest.mark.parametrize(
    ("dialect", "status", "body", "seen"),
    [
        ("auto", 404, {"message": "Nobody is here"}, True),
        ("auto", 200, {"ok": False, "message": "It is late"}, True),
        ("auto", 200, {"ok": True}, False),
        ("auto", 404, {"status": 404, "success": False, "error": {"code": "error", "message": "No"}}, False),
        ("salla", 404, {"status": 404, "success": False, "error": {"code": "error", "message": "No"}}, False),
        ("salla", 404, {"fault": "No"}, True),
        ("generic", 404, {"message": "Nobody is here"}, False),
        ("generic", 404, 7, True),
        (OWN, 404, {"fault": {"kind": "E"}}, False),
        (OWN, 404, {"message": "No"}, True),
        ({**OWN, "extends": ["generic"]}, 404, {"message": "No"}, True),
    ],
)
def test_what_only_the_last_resort_knew_is_unknown(
    dialect: str | dict[str, Any], status: int, body: object, *, seen: bool
) -> None:
    """So is an error that no rule knew at all; but who says that an upstream speaks `generic` wants it read so."""
    changes = {"last_resort": None} if dialect == "generic" else {}
    found = sightings()
    reply = Reply(status=status, headers=JSON, body=json.dumps(body).encode())
    result = normalise(reply, plan_with(dialect, **changes), 0.0, unknown=found)
    assert found.seen == seen
    assert result == normalise(reply, plan_with(dialect, **changes), 0.0)
    assert isinstance(result, Problem) == (body != {"ok": True})


def test_new_credentials_are_kept_out_beside_the_old() -> None:
    """An upstream may be configured anew while replies to requests from before are still to come."""
    seen = sightings()
    seen.keep_out(None)
    for secret in ("first-secret", "other-secret"):
        seen.keep_out(Secrets.of([secret]))
    seen.see(400, view({"first-secret": {"other-secret": 1}}), 0.0)
    (one,) = seen.shapes()
    assert b"-secret" not in bytes(one.sample)
