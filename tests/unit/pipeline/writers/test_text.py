"""`text/plain`."""

from __future__ import annotations

import msgspec
import pytest

from gateway.model import Origin, Retry, Stage
from gateway.pipeline.normalise import own_problem
from gateway.pipeline.writers.text import write
from tests.unit.pipeline.writers.problems import FULL, ID, PLAIN, URL, field


def test_whole() -> None:
    """What happened, which field is wrong, who must act, when to try again, and where to read more."""
    assert write(FULL, ID, URL, "en").decode() == (
        "422 validation_failed: The request has invalid fields\n"
        "\n"
        "Two are wrong\n"
        "\n"
        "  size (body, invalid): too small\n"
        "  paint.colour (body, required)\n"
        "\n"
        "Answered by:   upstream, at the stage response\n"
        "Who must act:  client\n"
        "Try again:     in 1.5 s\n"
        "Upstream:      shop, which said 400 · E1 · no (its request r-7)\n"
        f"Request:       {ID}\n"
        f"More:          {URL}/-/problems/validation_failed\n"
    )


def test_failure_of_our_own() -> None:
    """Without an upstream there is no line for one; the sentence is the catalogue's."""
    lines = write(own_problem("route_not_found", Stage.ROUTE), ID, None, "ar").decode().splitlines()
    assert lines[2] == own_problem("route_not_found", Stage.ROUTE).code.happened["ar"]
    assert not any(line.startswith("Upstream") for line in lines)


def test_no_answer_of_an_upstream() -> None:
    """One that gave no answer said nothing."""
    problem = own_problem("upstream_timeout", Stage.RESPONSE, upstream="shop", origin=Origin.TRANSPORT)
    assert "Upstream:      shop\n" in write(problem, ID, None, "en").decode()


@pytest.mark.parametrize(
    ("retry", "told"),
    [
        (Retry(retryable=False, after=3), "no, not without a change"),
        (Retry(retryable=True, after=None), "later"),
        (Retry(retryable=True, after=3), "in 3 s"),
    ],
)
def test_when_to_try_again(retry: Retry, told: str) -> None:
    """As the document's `retry` says."""
    assert f"Try again:     {told}\n" in write(msgspec.structs.replace(PLAIN, retry=retry), ID, None, "en").decode()


def test_foreign_text_stays_on_its_line() -> None:
    """No line and no order to a terminal comes from an upstream."""
    errors = (field("a\nb\x1b[2J", "c\r\n404 d\u202e"), field(None, "of all", location=None))
    problem = msgspec.structs.replace(FULL, detail="x\n\nRequest: y\x07", errors=errors, upstream=None)
    lines = write(problem, ID, URL, "en").decode().splitlines()
    assert lines[2] == "x Request: y"
    assert lines[4:6] == ["  a b[2J (body, invalid): c 404 d", "  (the whole request) (invalid): of all"]
    assert len(lines) == 13
