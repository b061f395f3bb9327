"""The pages under docs/: their links lead somewhere, and what they show as configuration does what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft7Validator

from gateway.config.document import Document
from gateway.config.faults import validate
from gateway.config.models import GatewayFile, UpstreamFile
from gateway.config.presets import chain, preset
from gateway.dialects.reader import Dialect
from gateway.pipeline.examples import differences, plan_for
from helm.schema import content

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

ROOT = Path(__file__).parents[3]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
CHART = content()
_VALUES = "# values.yaml\n"
_GATEWAY = "version: 1\n"
_UPSTREAM = _GATEWAY + "name: stub\nbase_url: https://api.stub.example\nmatch: {prefix: /stub}\n"


def _blocks(language: str, *, of_chart: bool = False) -> list[ParameterSet]:
    """Return every fenced block of a language, with its page and its number there as an id; or those for the chart."""
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, text in enumerate(_texts(page, language), 1)
        if text.startswith(_VALUES) is of_chart
    ]


def _texts(page: Path, language: str) -> list[str]:
    """Return a page's blocks of a language; one that begins with `examples` goes on where the one before it ended."""
    found: list[str] = []
    for name, text in _FENCED.findall(page.read_text(encoding="utf-8")):
        if name == language:
            found.append(found[-1] + text if text.startswith("examples:") else text)
    return found


def _place(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> list[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=_place)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that is there, and a heading in it; no two headings of a page share an anchor."""
    anchors = _anchors(page)
    assert len(set(anchors)) == len(anchors)
    for link in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


@pytest.mark.parametrize("text", _blocks("json"))
def test_json_is_json(text: str) -> None:
    """A block that is shown as JSON can be read as JSON."""
    json.loads(text)


@pytest.mark.parametrize("text", _blocks("yaml"))
def test_configuration_is_valid(text: str) -> None:
    """A file, a dialect or a part of an upstream that a page shows is valid, and its examples come out as they say."""
    is_gateway = "config/gateway.yaml" in text.partition("\n")[0] or "\nlisten:" in text
    whole = text if "version: 1\n" in text else (_GATEWAY if is_gateway else _UPSTREAM) + text
    value, faults = validate(GatewayFile if is_gateway else UpstreamFile, Document(whole, "page"))
    assert faults == []
    if isinstance(value, UpstreamFile):
        assert _wrong(value) == []


@pytest.mark.parametrize("text", _blocks("yaml", of_chart=True))
def test_values_of_the_chart_are_valid(text: str) -> None:
    """Values that a page shows are ones that the chart has; null takes a default away."""
    found = Draft7Validator(CHART).iter_errors(yaml.safe_load(text))
    assert [fault.message for fault in found if fault.validator != "required"] == []


def _wrong(upstream: UpstreamFile) -> list[str]:
    """Return what the examples of an upstream and of its dialect find."""
    own = upstream.dialect.own
    dialect = Dialect(chain(own)) if own is not None else preset(str(upstream.dialect.preset))
    plan = plan_for(dialect, upstream.name, owns_credential=upstream.credentials is not None)
    examples = [*upstream.examples, *(own.examples if own is not None else ())]
    return [f"{example.name}: {difference}" for example in examples for difference in differences(example, plan)]


@pytest.mark.parametrize("page", [page for page in PAGES if ROOT / "docs" in page.parents], ids=_place)
def test_page_is_in_the_index(page: Path) -> None:
    """Every page can be found from docs/README.md, or from an index of its folder that can."""
    top = ROOT / "docs" / "README.md"
    index = page.parent / "README.md" if page.name != "README.md" and (page.parent / "README.md").exists() else top
    assert page == top or f"({page.relative_to(index.parent)})" in index.read_text(encoding="utf-8")
