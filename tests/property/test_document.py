"""Any text as a configuration file: values with places, or faults with places."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.document import Document
from gateway.config.faults import validate
from gateway.config.models import GatewayFile, UpstreamFile

if TYPE_CHECKING:
    from pydantic import BaseModel

_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML 1.1 counts lines
_KEYS = """
    version name base_url match prefix host methods strip dialect extends errors when status body has code message
    fields from each field detail success data credentials inject header value_env limits key requests per burst routes
    path examples reply expect timeouts connect listen admin clients api_key_sha256 bounds store via upstreams <<
""".split()  # noqa: SIM905 - a table of words
_WORDS = """
    1 salla https://api.example / /x 4xx-5xx 60s 8MiB auto pass true null ~ @
    a.b[0] "( [a-z" 127.0.0.1:80 &a *a !!str >- |
""".split()  # noqa: SIM905 - a table of words

_letters = st.characters(exclude_categories=["Cc", "Cf", "Cn", "Cs", "Zl", "Zp"])  # those that YAML takes as they are

texts = st.one_of(
    st.text(),
    st.text(" \n\t:-[]{}&*!|>'\"%@`#?,ab0.<~", max_size=60),
    st.lists(st.tuples(st.sampled_from(["", "  ", "- ", "    "]), st.sampled_from(_KEYS), st.sampled_from(_WORDS))).map(
        lambda rows: "".join(f"{indent}{key}: {word}\n" for indent, key, word in rows)
    ),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.sampled_from(_WORDS), st.text(_letters, max_size=5)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6)),
    max_leaves=15,
)


def _check_places(document: Document, text: str) -> None:
    lines = _LINE_END.split(text)
    for fault in document.faults:
        assert fault.file == "a.yaml"
        assert fault.message
        assert 0 <= fault.line <= len(lines)
        assert fault.line == 0 or 1 <= fault.column <= len(lines[fault.line - 1]) + 1


@given(text=texts)
@example(text="[" * 100_000 + "]" * 100_000)
@example(text="{a: " * 100_000 + "}" * 100_000)
@example(text="- " * 5_000)
@example(text="? " * 5_000)
@example(text="\ud800")
@example(text="\0")
@example(text="a: &x [*x]")
@example(text="--- a\n--- b")
@example(text="%YAML 9.9\n---\na")
def test_any_text_gives_a_document(text: str) -> None:
    """No text stops the reader; what is wrong has a place inside the file, and nothing is wrong unseen."""
    document = Document(text, "a.yaml")
    _check_places(document, text)
    assert document.faults or document.value is not None or text.strip()


@given(value=values)
def test_json_is_read_as_what_it_says(value: object) -> None:
    """A value written as JSON, which is YAML, is read as that value, if no key is `<<`."""
    text = json.dumps(value, ensure_ascii=False)
    document = Document(text, "a.yaml")
    if '"<<"' in text:
        assert [fault.message for fault in document.faults if fault.message != "a key must be a plain text"] == []
    else:
        assert document.faults == []
        assert document.value == value


@given(value=values)
def test_any_value_is_a_configuration_or_has_faults_with_places(value: object) -> None:
    """Whatever a file holds, its model is complete, or every fault is told with the place of what is wrong."""
    text = json.dumps(value, indent=1)
    lines = text.split("\n")
    models: tuple[type[BaseModel], ...] = (GatewayFile, UpstreamFile)
    for model in models:
        found, faults = validate(model, Document(text, "a.yaml"))
        assert (found is None) == bool(faults)
        for fault in faults:
            assert 1 <= fault.line <= len(lines)
            assert 1 <= fault.column <= len(lines[fault.line - 1])
