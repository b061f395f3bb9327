"""A success is taken out of its envelope and its payload passed on, byte for byte."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import presets
from gateway.dialects.bodies import SHALLOW_MEMBER
from gateway.model import Reply, Success
from gateway.pipeline.examples import answer, plan_for

JSON = ((b"Content-Type", b"application/json"),)

_space = st.text(" \t\r\n", max_size=3)
_numbers = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(["1e400", "12345678901234567890", "0.10", "-0", "1E+2", "9" * 4_000]),
)
_texts = st.one_of(
    st.builds(json.dumps, st.text(), ensure_ascii=st.booleans()).filter(lambda text: "\\ud" not in text),
    st.sampled_from(
        [r'"\u00e9\/\u0000"', '"لا"', r'"\ud83d\ude00"', '"a\\\\"', '"' + "long " * (SHALLOW_MEMBER // 4) + '"']
    ),
)


@st.composite
def _lists(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = [draw(_space) + item + draw(_space) for item in draw(st.lists(inner, max_size=3))]
    return f"[{','.join(items) or draw(_space)}]"


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    keys = st.sampled_from(['"a"', '"b"', r'"\u0061"', '"مفتاح"', '""'])  # the same one twice, too
    pairs = draw(st.lists(st.tuples(keys, inner), max_size=3))
    members = [f"{draw(_space)}{key}{draw(_space)}:{draw(_space)}{value}{draw(_space)}" for key, value in pairs]
    return "{" + (",".join(members) or draw(_space)) + "}"


json_texts = st.recursive(
    st.one_of(_numbers, _texts, st.sampled_from(["true", "false", "null"])),
    lambda inner: st.one_of(_lists(inner), _objects(inner)),
    max_leaves=10,
)
"""JSON as it may be written: any number and any spacing, escapes or none, members twice."""

SALLA = '{ "status" : 200 , "success":true,"data":%s,"pagination":{"currentPage":1,"totalPages":2}}'
STATUS_MESSAGE_BODY = '{"status":"200","message":"OK","body":{"fields":[],"data" :\t%s }}'
ENVELOPES = {
    "salla": ("salla", SALLA),
    "salla, large": ("salla", '{"before":"' + "x" * SHALLOW_MEMBER + '",' + SALLA[1:]),
    "salla, behind a byte order mark": ("salla", "\ufeff" + SALLA),
    "salla, behind a prefix against scripts": ("salla", ")]}',\n" + SALLA),
    "status, message, body": ("status-message-body", STATUS_MESSAGE_BODY),
    "status, message, body in a list of one": ("status-message-body", f" [ {STATUS_MESSAGE_BODY} ]\n"),
    "no envelope": ("type-code-param", '{"id":1,"rows":[%s]}'),
}


@pytest.mark.parametrize(("dialect", "envelope"), ENVELOPES.values(), ids=ENVELOPES)
@given(text=json_texts)
def test_data_is_passed_on_byte_for_byte(dialect: str, envelope: str, text: str) -> None:
    """Whatever stands in `data` stands in the answer's `data`, with its numbers, its spacing and its order."""
    body = (envelope % text).encode()
    reply = Reply(status=200, headers=JSON, body=body)
    result, document = answer(reply, plan_for(presets.preset(dialect), "shop"))
    assert isinstance(result, Success)
    expected = body.strip() if dialect == "type-code-param" else text.encode()
    assert document is not None
    assert document.startswith(b'{"data":' + expected + b',"meta":{"request_id":')


@given(text=json_texts, charset=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-16-be"]))
def test_data_of_another_encoding_is_passed_on_in_utf_8(text: str, charset: str) -> None:
    """A body in UTF-16 that says so says the same in the answer, which is in UTF-8."""
    body = (SALLA % text).encode(charset)
    name = charset.replace("-le", "le").replace("-be", "be")
    headers = ((b"Content-Type", f"application/json; charset={name}".encode()),)
    result, _ = answer(Reply(status=200, headers=headers, body=body), plan_for(presets.preset("salla"), "shop"))
    assert isinstance(result, Success)
    assert result.data == text.encode()
