"""Captured replies as a file with examples: short, without secrets, and passing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.config.document import Document
from gateway.model import Reply
from gateway.pipeline.captures import Capture
from gateway.pipeline.suggest.anonymous import masked, masked_headers, masked_text, shaped
from gateway.pipeline.suggest.file import Facts, Inferred, infer
from gateway.pipeline.suggest.yaml_text import block, scalar

JSON = (b"Content-Type", b"application/json")
FACTS = Facts(name="parts", base_url="https://api.parts.example", prefix="/parts")


def _capture(name: str, status: int, tree: object, *headers: tuple[bytes, bytes]) -> Capture:
    return Capture(name=name, reply=Reply(status=status, headers=(JSON, *headers), body=msgspec.json.encode(tree)))


def _examples(inferred: Inferred) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Document(inferred.text, "parts.yaml").value["examples"]
    return found


def test_distinct_replies_are_examples() -> None:
    """Replies of one structure and status are one example; names are told apart by a number."""
    captures = [_capture("409 a", 409, {"oops": "It is wrong."}), _capture("409 b", 409, {"oops": "It is not."})]
    captures += [_capture("409 a", 409, {"oops": "It is.", "no": 7}), _capture("a", 404, {"oops": "It is gone."})]
    assert [one["name"] for one in _examples(infer(captures, FACTS))] == ["409 a", "409 a (2)", "404 a"]


def test_successes_are_cut() -> None:
    """A long success keeps what shows its shape; its pages are expected."""
    rows = [{"id": number, "text": "x" * 900} for number in range(9)]
    tree = {"data": rows, "ok": True, "paging": {"page": 1, "total_pages": 2}}
    (example, _) = _examples(infer([_capture("list", 200, tree), _capture("e", 400, {"oops": "No way."})], FACTS))
    assert len(example["reply"]["json"]["data"]) == 2
    assert len(example["reply"]["json"]["data"][0]["text"]) == 401
    assert example["expect"]["meta"]["pagination"] == {"page": 1, "total_pages": 2, "has_more": True}


def test_a_list_is_cut() -> None:
    """A success that is a list keeps its first items."""
    (example,) = _examples(infer([_capture("list", 200, [1, 2, 3])], FACTS))
    assert (example["reply"]["json"], example["expect"]) == ([1, 2], "pass")


def test_what_cutting_would_change_is_kept() -> None:
    """A reply that is an error only by what stands behind the cut is kept whole."""
    tree = {f"k{number}": number for number in range(30)} | {"success": False, "message": "It is wrong."}
    (example,) = _examples(infer([_capture("200 x", 200, tree)], FACTS))
    assert example["expect"]["detail"] == "It is wrong."


def test_a_list_of_one_stays_one() -> None:
    """An example of a wrapped object is wrapped."""
    (example,) = _examples(infer([_capture("x", 400, [{"oops": "It is wrong."}])], FACTS))
    assert example["reply"]["json"] == [{"oops": "It is wrong."}]


def test_fields_that_are_read_are_kept() -> None:
    """Of the header what is read is kept, a date only where a limit is told by it."""
    fields = ((b"Date", b"Thu, 01 Jan 2026 00:00:00 GMT"), (b"Set-Cookie", b"a=b"), (b"Retry-After", b"7"))
    (first, second) = _examples(
        infer(
            [_capture("x", 429, {"oops": "Too fast."}, *fields), _capture("y", 404, {"oops": "Gone away."}, *fields)],
            FACTS,
        )
    )
    assert first["reply"]["headers"].keys() <= {"Date", "Retry-After"}
    assert first["expect"]["retry"] == {"after": 7}
    assert "Date" not in second["reply"].get("headers", {})


def test_partial_success_is_expected_with_its_warnings() -> None:
    """What a preset warns of stands in the example."""
    failed = [{"index": 1, "error": {"code": "taken", "message": "It is taken.", "param": "sku", "type": "x"}}]
    error = {"type": "a", "code": "b", "message": "It is wrong.", "param": "c"}
    captures = [_capture("bulk", 202, {"failed": failed}), _capture("e", 400, error)]
    (example, _) = _examples(infer(captures, FACTS))
    assert example["expect"]["warnings"][0]["detail"] == "It is taken."


def test_pages_and_nothing_are_examples() -> None:
    """A page stands as text, nothing as nothing, and JSON that says nothing as it came."""
    html = Reply(
        status=502, headers=((b"Content-Type", b"text/html"),), body=b"<html><title>Away</title>" + b" " * 2000
    )
    captures = [Capture(name="page", reply=html), Capture(name="none", reply=Reply(status=500))]
    captures.append(_capture("null", 500, None))
    (page, nothing, null) = _examples(infer(captures, FACTS))
    assert len(page["reply"]["body"]) == 1200
    assert nothing["reply"] == {"status": 500}
    assert null["reply"]["body"] == "null"


def test_what_is_not_known_is_said() -> None:
    """A placeholder, codes that are open, and that no success was given stand at the top."""
    facts = Facts(name="parts", base_url="https://api.example.com", prefix="/parts", guessed=True)
    text = infer([_capture("x", 200, {"fault": {"kind": "E_ONE", "text": "It is wrong."}})], facts).text
    assert "# - the meaning of these codes is not settled: E_ONE\n" in text
    assert "# Say where the API is.\nbase_url: https://api.example.com\n" in text
    assert "no success was among the replies" in infer([_capture("x", 400, {"a": "It is wrong."})], FACTS).text


def test_a_file_that_does_not_load_is_told() -> None:
    """What a person named wrongly is a fault of the file, with its place."""
    (fault,) = infer([_capture("x", 400, {})], Facts(name="parts", base_url="nowhere", prefix="/parts")).faults
    assert fault.path == "base_url"


@pytest.mark.parametrize(
    ("text", "masked_as"),
    [
        ("write to jane.d@corp.example now", "write to someone@example.com now"),
        ("key sk_live_4242424242424242", "key dk_yfmt_9012345678901234"),
        ("call +966 50 123 4567 today", "call +234 67 901 3456 today"),
        ("from 10.20.30.40", "from 12.45.78.01"),
        ("id 0f3c9d20-aaaa-4bbb-8ccc-0123456789ab", "id 1e3c5c78-dcfe-5cbe-0dfa-5678901234cb"),
        ("since 2026-01-01 10:00:00", "since 2026-01-01 10:00:00"),
        ("invalid_parameter_value_given", "invalid_parameter_value_given"),
        ("only 2 of 10", "only 2 of 10"),
    ],
)
def test_texts_are_masked(text: str, masked_as: str) -> None:
    """Mail, tokens, numbers of people, addresses and ids are replaced; words and dates are not."""
    found = masked_text(text)
    assert len(found) == len(masked_as)
    assert (found == text) == (masked_as == text)
    assert found.split()[0] == text.split(maxsplit=1)[0]


def test_members_are_masked() -> None:
    """What is secret by its name is replaced, what is personal in successes, ids everywhere, times nowhere."""
    tree = {
        "token": "abc",
        "email": ["jane@corp.example"],
        "first_name": "Jane",
        "id": 9876543210,
        "expires_at": 1767225600,
        "huge": 10**30,
        "client_secret": "x y",
        "n": 1.5,
    }
    found = masked(tree, failed=False)
    assert found["token"] == shaped("abc") != "abc"
    assert found["email"] == ["someone@example.com"]
    assert found["first_name"] != "Jane"
    assert (found["id"], found["expires_at"], found["n"]) == (1234567890, 1767225600, 1.5)
    assert found["huge"] < 10**18
    assert masked({"email": "It is not valid.", "password": "It is too short."}, failed=True) == {
        "email": "It is not valid.",
        "password": "It is too short.",
    }


def test_header_fields_are_masked() -> None:
    """Numbers stay, for limits and times are read from them."""
    assert masked_headers({"A": "1767225600", "B": "0123456789abcdef0"})["A"] == "1767225600"
    assert masked_headers({"B": "f123456789abcdef0"})["B"] != "f123456789abcdef0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a word", "a word"),
        ("409 stock", "409 stock"),
        ("2xx", "2xx"),
        ("on", '"on"'),
        ("12", '"12"'),
        ("a: b", '"a: b"'),
        ("@", '"@"'),
        (".5", '".5"'),
        ("https://a.example/b", "https://a.example/b"),
        ("\u0085\U000e0001", '"\\u0085\\U000e0001"'),
        (None, "null"),
        (True, "true"),
        (1e30, "1.0e+30"),
    ],
)
def test_scalars(value: object, text: str) -> None:
    """Whatever could be taken for something else than a text is quoted."""
    assert scalar(value) == text


def test_blocks() -> None:
    """What does not fit on a line is written in blocks, lists in lists too."""
    long = "x" * 90
    value = {"a": [[long, long], {"b": long, "c": {"d": long}}], "e": [], "f": {}}
    assert Document(block(value), "x").value == value
