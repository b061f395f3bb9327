"""The reference of all keys, and the files in which it is committed."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from gateway.config import presets
from gateway.config.reference import PAGES, page

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
TEXTS = {name: page(name) for name in PAGES}


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_up_to_date(name: str) -> None:
    """A page is what `python -m gateway.config.reference NAME` prints: run it again after a change."""
    assert (FOLDER / f"{name}.md").read_text(encoding="utf-8") == TEXTS[name]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("| `bounds.target` | size | `8KiB` |", id="a size, spelled with its unit"),
        pytest.param("| `timeouts.total` | duration | `5m` |", id="a duration, spelled with its unit"),
        pytest.param("| `listen` | address | `127.0.0.1:8080` |", id="an address"),
        pytest.param("| `version` | `1` | required |", id="a constant that must be given"),
        pytest.param("| `match.strip` | true or false | `true` |", id="a flag"),
        pytest.param("| `dialect` | preset, or [dialect](dialects.md#every-key) | `auto` |", id="another page's"),
        pytest.param("| `routes[].errors` | `translate` or `pass` | `translate` |", id="a choice"),
        pytest.param("| `pool.max_waiting` | whole number, at least 0 | `1000` |", id="a number with a bound"),
        pytest.param("| `clients` | list of [clients](#client) |  |", id="a list of mappings"),
        pytest.param("| `request.headers.set` | mapping of field names to field value |  |", id="a mapping"),
        pytest.param("| `upstreams` | text, or a list | `upstreams/*.yaml` |", id="one or a list"),
        pytest.param("At `limits[]`, `clients[].limits[]`, `routes[].limits[]`. ", id="all places of a mapping"),
    ],
)
def test_configuration_says(row: str) -> None:
    """Each key has its path, its type in words, and its default in the spelling of the file."""
    assert row in TEXTS["configuration"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("| `errors[].when` | [condition](#condition) | `{status: 4xx-5xx}` |", id="a default in part"),
        pytest.param("| `read.code` | path, or [pick](#pick), or a list |  |", id="a short form"),
        pytest.param("At `headers` of [condition](#condition). ", id="a place in what has many places"),
        pytest.param("`classify[].when`, `pauses[].when` and more. ", id="too many places to list"),
        pytest.param("All keys of [reading](#reading), and:\n", id="keys that another mapping has"),
        pytest.param("| `examples[].reply.json` | anything |  |", id="whatever YAML can say"),
        pytest.param("| `examples[].expect` | mapping, or `pass` | required |", id="a word in place of a mapping"),
    ],
)
def test_dialects_say(row: str) -> None:
    """Short forms are told beside the mapping that they stand for, and a mapping with its places."""
    assert row in TEXTS["dialects"]


def test_every_preset_is_in_the_reference() -> None:
    """Each preset has its row."""
    text = TEXTS["dialects"]
    assert all(f"| `{name}` | " in text for name in ("auto", *presets.names()))


def test_command_prints_it(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes UTF-8, whatever the locale."""
    monkeypatch.setattr("sys.argv", ["reference", "dialects"])
    with pytest.warns(RuntimeWarning, match="found in sys.modules"):
        runpy.run_module("gateway.config.reference", run_name="__main__")
    assert capsysbinary.readouterr().out == TEXTS["dialects"].encode()
