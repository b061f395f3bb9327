"""All views by name."""

from __future__ import annotations

import json

import msgspec
import pytest

from gateway.config import views
from gateway.dialects.spec import WriteSpec
from gateway.pipeline.render import problem_document
from gateway.pipeline.writers.table import GENERAL, PROBLEM_JSON, Writers
from gateway.pipeline.writers.writer import Extent
from tests.unit.pipeline.writers.problems import FULL, ID, URL


def test_general_views_have_the_names_of_the_configuration() -> None:
    """What can be configured can be written, and the other way round."""
    assert tuple(GENERAL) == views.GENERAL


def test_the_document_is_the_default() -> None:
    """`problem-json` is what is written where nobody asks for anything else."""
    assert PROBLEM_JSON.write(FULL, ID, URL, "en") == problem_document(FULL, ID, URL)


def test_a_dialect_is_compiled_once() -> None:
    """However many routes name it."""
    writers = Writers({"own": WriteSpec(body={"a": "$status"})})
    assert writers.named("own") is writers.named("own")
    assert json.loads(writers.named("own").write(FULL, ID, URL, "en")) == {"a": 422}
    assert writers.named("text") is GENERAL["text"]
    with pytest.raises(KeyError):
        writers.named("nobody")


@pytest.mark.parametrize("name", GENERAL)
def test_general_views_carry_what_they_say(name: str) -> None:
    """Each member of a document that a view declares is told by it: another value gives another body."""
    writer = GENERAL[name]
    changed = {
        "status": 499,
        "detail": "Something else",
        "errors": FULL.errors[:1],
        "source": msgspec.structs.replace(FULL.source, upstream="other"),
        "retry": msgspec.structs.replace(FULL.retry, after=77),
        "extensions": {"other": msgspec.Raw(b"1")},
    }
    body = writer.write(FULL, ID, URL, "en")
    for member, value in changed.items():
        other = writer.write(msgspec.structs.replace(FULL, **{member: value}), ID, URL, "en")
        declared = any(path.partition(".")[0].removesuffix("[]") == member for path in writer.carries)
        assert (other != body) == declared, member
    assert set(writer.carries.values()) == {Extent.WHOLE}
