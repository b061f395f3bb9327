"""The pages behind every problem's `type`."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from gateway.catalog import CODES
from gateway.catalog.labels import LABELS, LANGUAGES, Language
from gateway.catalog.pages import CONTENT_SECURITY_POLICY, index_html, index_json, page_html, page_json

if TYPE_CHECKING:
    from gateway.model import Code

VOID = {"meta", "link"}
ALL_PAGES = [(code, lang) for code in CODES.values() for lang in LANGUAGES]


class Elements(HTMLParser):
    """Collects start tags, and holds that every element is closed in order."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element and that it is open."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self._open.pop() == tag

    def all(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of every element `name`."""
        return [attributes for tag, attributes in self.tags if tag == name]


def text_of(page: bytes) -> str:
    """Return what a reader sees, roughly."""
    return unescape(re.sub(r"<[^>]*>", "", page.decode().partition("</style>")[2]))


@pytest.mark.parametrize(("code", "lang"), ALL_PAGES, ids=lambda value: getattr(value, "name", value))
def test_page_tells_everything(code: Code, lang: Language) -> None:
    """A page shows title, status, category, who must act, both sentences in its language, and an example."""
    text = text_of(page_html(code, lang))
    assert code.title in text
    assert str(code.status) in text
    assert LABELS.category[code.category].of(lang) in text
    assert LABELS.fault[code.fault].of(lang) in text
    assert code.happened[lang] in text
    assert code.action[lang] in text
    assert (LABELS.page["credential"].of(lang) in text) is code.credential
    example = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert (example["code"], example["status"]) == (code.name, code.status)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_stand_alone(lang: Language) -> None:
    """A page is well formed, in the direction of its language, and loads and runs nothing."""
    for page in (index_html(lang), page_html(CODES["token_invalid"], lang)):
        elements = Elements(page)
        assert elements.all("html") == [{"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}]
        assert elements.all("script") == elements.all("img") == []
        assert elements.all("link") == [{"rel": "icon", "href": "data:,"}]
        assert not [attributes for _, attributes in elements.tags if "style" in attributes or "src" in attributes]
        assert len(elements.all("h1")) == len(elements.all("main")) == len(elements.all("title")) == 1
        assert b"url(" not in page
        assert b"@import" not in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_style_is_permitted_by_its_hash(lang: Language) -> None:
    """The policy permits the one style sheet that the pages hold, by its hash, and nothing from anywhere."""
    style = re.search(rb"<style>(.*)</style>", page_html(CODES["gone"], lang), re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1]).digest())
    assert b"style-src 'sha256-" + digest + b"'" in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith(b"default-src 'none'")
    assert b"unsafe" not in CONTENT_SECURITY_POLICY


def test_index_leads_to_every_page() -> None:
    """The list links each code relatively, in the language of the list."""
    links = [link["href"] for link in Elements(index_html("ar")).all("a")]
    assert links[0] == "?lang=en"
    assert sorted(filter(None, links[1:])) == sorted(f"{name}?lang=ar" for name in CODES)


def test_page_leads_back_and_to_its_other_language() -> None:
    """A page links the list in its own language and itself in the other."""
    links = [link["href"] for link in Elements(page_html(CODES["gone"], "en")).all("a")]
    assert links == ["./?lang=en", "?lang=ar"]


def _document(code: str) -> dict[str, object]:
    example = json.loads(page_json(CODES[code]))["example"]
    assert isinstance(example, dict)
    return example


def test_page_for_tools() -> None:
    """The JSON page has the members of the code, its sentences by language, and an example."""
    page = json.loads(page_json(CODES["conflict"]))
    assert list(page) == [
        "type", "code", "category", "title", "status", "fault", "retryable", "credential", "happened", "action",
        "example",
    ]  # fmt: skip
    assert page["type"] == "/-/problems/conflict"
    assert page["happened"] == dict(CODES["conflict"].happened)


def test_index_for_tools() -> None:
    """The JSON list has every code in the order of the catalogue."""
    assert [problem["code"] for problem in json.loads(index_json())["problems"]] == list(CODES)


def test_example_has_the_members_of_the_format() -> None:
    """The members of a document stand in the order of the format; `upstream` only where an upstream answered."""
    members = [
        "type", "title", "status", "detail", "instance", "code", "category", "source", "retry", "errors", "upstream",
        "request_id",
    ]  # fmt: skip
    assert list(_document("conflict")) == members
    assert list(_document("route_not_found")) == [member for member in members if member != "upstream"]
    assert _document("route_not_found")["source"] == {
        "origin": "gateway",
        "fault": "client",
        "upstream": None,
        "stage": "route",
    }


def test_example_lists_fields_where_fields_are_wrong() -> None:
    """Only the example of a validation failure has field errors."""
    assert _document("validation_failed")["errors"] == [
        {
            "field": "email",
            "pointer": "#/email",
            "location": "body",
            "code": "required",
            "detail": "An email address is needed.",
        }
    ]
    assert _document("conflict")["errors"] == []


def test_example_shows_the_status_that_was_sent() -> None:
    """A missing scope came as 401 and leaves as 403."""
    document = _document("insufficient_scope")
    assert document["status"] == 403
    assert document["upstream"] == {
        "status": 401,
        "code": None,
        "type": None,
        "message": None,
        "dialect": "salla",
        "request_id": None,
    }


@pytest.mark.parametrize(("code", "after"), [("rate_limited", 30), ("quota_exhausted", None), ("locked", None)])
def test_example_says_when_to_retry(code: str, after: int | None) -> None:
    """A time is shown where one is usually known."""
    assert _document(code)["retry"] == {"retryable": code != "quota_exhausted", "after": after}
