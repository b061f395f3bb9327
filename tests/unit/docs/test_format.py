"""docs/reference/format.md says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from gateway.catalog import CODES
from gateway.errors import TransportReason
from gateway.model import FieldError, Retry, Source, Stage, UpstreamError
from gateway.pipeline.document import OWN_MEMBERS
from gateway.pipeline.normalise import own_problem, transport_problem
from gateway.pipeline.render import proxy_status

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "format.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (.+?) \| (\d{3}) \| `(\w+)` \| `(\w+)` \| `(\w+)` \| `(\w+)` \| `(\w+)` \|$", re.MULTILINE)
FAILURES = [pytest.param(*cells, id=happened) for happened, *cells in _ROW.findall(PAGE)]
_REASONS = {reason.value: reason for reason in TransportReason}


@pytest.mark.parametrize(("status", "code", "origin", "fault", "stage", "error"), FAILURES)
def test_failures_of_our_own(status: str, code: str, origin: str, fault: str, stage: str, error: str) -> None:
    """Each row of the table is what the code answers."""
    reason = _REASONS.get(error) if stage in ("connect", "response") else None
    problem = own_problem(code, Stage(stage)) if reason is None else transport_problem(reason, "parts")
    assert (problem.code.name, str(problem.status)) == (code, status)
    assert (problem.source.origin, problem.source.fault, problem.source.stage) == (origin, fault, stage)
    assert proxy_status(problem, "accord", reason) == f"accord; error={error}".encode()


def test_every_reason_is_in_the_table() -> None:
    """Each reason why no usable answer came has its row."""
    assert {reason.value for reason in TransportReason} <= {cells[-1] for cells in _ROW.findall(PAGE)}


def test_every_member_is_explained() -> None:
    """Each member of a document, and of what stands in it, is in the table of members."""
    table = PAGE.partition("| member | meaning |")[2].partition("\n\n")[0]
    inner = {"source": Source, "retry": Retry, "errors[]": FieldError}
    members = [*OWN_MEMBERS, *(f"{at}.{name}" for at, struct in inner.items() for name in struct.__struct_fields__)]
    assert [name for name in members if f"| `{name}` |" not in table and name not in inner and name != "source"] == []
    said = table.partition("| `upstream` |")[2].partition("\n")[0]
    assert [name for name in UpstreamError.__struct_fields__ if f"`{name}`" not in said] == ["extensions"]


def test_example_is_of_the_format() -> None:
    """The example has exactly the members of a document, and a code of the catalogue with its own values."""
    text = PAGE.partition("```json\n")[2].partition("```")[0]
    example = json.loads(text)
    assert set(example) == OWN_MEMBERS
    assert all(msgspec.convert(error, FieldError) for error in example["errors"])
    code = CODES[example["code"]]
    assert (example["title"], example["status"], example["category"]) == (code.title, code.status, code.category)
    assert (example["source"]["fault"], example["retry"]["retryable"]) == (code.fault, code.retryable)
