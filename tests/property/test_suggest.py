"""Inference is total: whatever was captured, some dialect comes out, and the file that it is in passes."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.document import Document
from gateway.model import Reply
from gateway.pipeline.captures import Capture, CaptureError, captures_in
from gateway.pipeline.suggest import suggest
from gateway.pipeline.suggest.anonymous import masked, shaped
from gateway.pipeline.suggest.file import Facts, infer
from gateway.pipeline.suggest.yaml_text import block

NAMES = st.sampled_from(
    (
        "message",
        "error",
        "code",
        "errors",
        "fields",
        "field",
        "ok",
        "status",
        "data",
        "detail",
        "0",
        "é x",
        '"',
        "retry_ms",
    )
)
TEXTS = st.text(max_size=20) | st.sampled_from(("E_ONE", "It is wrong.", "/a/b", "$.x", "404", "a@b.example", "null"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXTS, inner, max_size=4),
    max_leaves=12,
)
BODIES = TREES.map(msgspec.json.encode) | st.binary(max_size=60)
REPLIES = st.builds(
    Reply,
    status=st.sampled_from((200, 202, 400, 404, 422, 429, 500)),
    headers=st.sampled_from(((), ((b"Content-Type", b"application/json"),), ((b"X-Quota-Remaining", b"0"),))),
    body=BODIES,
)
FACTS = Facts(name="any", base_url="https://api.example", prefix="/any")


@settings(max_examples=40, deadline=None)
@given(st.lists(REPLIES, max_size=4))
def test_any_replies_give_a_dialect(replies: list[Reply]) -> None:
    """Whatever the replies are, inference returns, and gives the same when it is asked again."""
    suggestion = suggest(replies, always_own=True)
    assert len(suggestion.readings) == len(replies)
    assert suggest(replies, always_own=True) == suggestion


@settings(max_examples=30, deadline=None)
@given(st.lists(REPLIES, min_size=1, max_size=4))
def test_any_captures_give_a_file_that_passes(replies: list[Reply]) -> None:
    """Whatever was captured, the file loads and each of its examples passes at once."""
    inferred = infer([Capture(name=f"reply {number}", reply=reply) for number, reply in enumerate(replies)], FACTS)
    assert inferred.faults == ()


@given(st.dictionaries(TEXTS | NAMES, TREES, max_size=4))
def test_what_is_written_reads_back(value: dict[str, object]) -> None:
    """A mapping written as YAML is the same mapping when it is read, whatever texts are in it."""
    scrubbed = msgspec.json.decode(msgspec.json.encode(value))
    document = Document(block({"root": scrubbed}), "written.yaml")
    assert document.faults == []
    assert document.value == {"root": scrubbed}


@given(st.text(max_size=40) | st.binary(max_size=80).map(lambda data: data.decode("latin-1")), st.binary(max_size=200))
def test_any_file_gives_captures_or_a_reason(name: str, data: bytes) -> None:
    """A file of any bytes under any name holds replies, or it is said why not."""
    try:
        captures = captures_in(name, data)
    except CaptureError:
        captures = []
    assert all(100 <= capture.reply.status <= 599 for capture in captures)


@given(TREES, st.booleans())
def test_masking_keeps_the_shape(tree: object, failed: bool) -> None:
    """What is masked has the same structure, and masking any of it never raises."""
    assert type(masked(tree, failed=failed)) is type(tree)


@given(st.text(max_size=50))
def test_a_shape_is_as_long_as_what_it_stands_for(text: str) -> None:
    """A value of the same shape is as long, and letters and digits stand where they stood."""
    other = shaped(text)
    assert [one.isdigit() for one in other] == [one.isdigit() for one in text]
