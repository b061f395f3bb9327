"""The pages behind every problem's `type`: HTML for people, JSON for tools.

Invariants: rendering is pure; a page loads nothing from anywhere and runs no script, so that it can be served under
`CONTENT_SECURITY_POLICY`; everything that is put into a page is escaped. There are a fixed number of pages, and each is
rendered once.

Links are relative: the index belongs at an address that ends in `/`, and the pages right below it.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec

from gateway.catalog.codes import CODES
from gateway.catalog.documents import package_text
from gateway.catalog.example import example_document, example_json
from gateway.catalog.labels import LABELS
from gateway.model import Category, Code

if TYPE_CHECKING:
    import jinja2

    from gateway.catalog.labels import Language

_TEMPLATES = ("base.html.j2", "index.html.j2", "page.html.j2")
_STYLE = package_text("templates/style.css").strip()

CONTENT_SECURITY_POLICY: Final[bytes] = (
    "default-src 'none'; img-src data:; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode()
"""The `Content-Security-Policy` field value that every HTML page works under: its one style sheet, nothing else."""


def index_html(lang: Language) -> bytes:
    """Return the list of all codes as an HTML document (UTF-8) in the language `lang`."""
    return _index_html(lang)


def page_html(code: Code, lang: Language) -> bytes:
    """Return what `code`, one of `CODES`, means as an HTML document (UTF-8) in the language `lang`."""
    return _page_html(code.name, lang)


@cache
def index_json() -> bytes:
    """Return the list of all codes as `{"problems": [...]}`, in the order of the catalogue, without examples."""
    return msgspec.json.encode({"problems": [_description(code) for code in CODES.values()]})


def page_json(code: Code) -> bytes:
    """Return what `code` means as a JSON object: its members, its sentences by language, and an example document."""
    return msgspec.json.encode(_description(code) | {"example": example_document(code)})


def _description(code: Code) -> dict[str, Any]:
    return {
        "type": f"/-/problems/{code.name}",
        "code": code.name,
        "category": code.category,
        "title": code.title,
        "status": code.status,
        "fault": code.fault,
        "retryable": code.retryable,
        "credential": code.credential,
        "happened": dict(code.happened),
        "action": dict(code.action),
    }


@cache
def _index_html(lang: Language) -> bytes:
    groups = {category: [code for code in CODES.values() if code.category is category] for category in Category}
    return _render("index.html.j2", lang, groups=groups, categories=LABELS.category)


@cache
def _page_html(name: str, lang: Language) -> bytes:
    code = CODES[name]
    return _render(
        "page.html.j2",
        lang,
        code=code,
        category=LABELS.category[code.category].of(lang),
        fault=LABELS.fault[code.fault].of(lang),
        example=example_json(code),
    )


def _render(template: str, lang: Language, **values: object) -> bytes:
    label = {name: words.of(lang) for name, words in LABELS.page.items()}
    other = "en" if lang == "ar" else "ar"
    text = _templates().get_template(template).render(lang=lang, other=other, label=label, style=_STYLE, **values)
    return text.encode()


@cache
def _templates() -> jinja2.Environment:
    """Return the templates. Most processes are never asked for a page, and need not keep an engine for it."""
    import jinja2  # noqa: PLC0415 - see above

    return jinja2.Environment(
        loader=jinja2.DictLoader({name: package_text(f"templates/{name}") for name in _TEMPLATES}),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
