"""The dialects that come with Accord, and dialects on top of them."""

from __future__ import annotations

import pytest

from gateway.config import presets
from gateway.config.presets import LAST_RESORT, chain, detected, names, preset, specs
from gateway.dialects.auto import AutoDialect
from gateway.dialects.spec import DialectSpec
from gateway.errors import ConfigError


def _names(extends: list[str]) -> list[str | None]:
    return [spec.name for spec in chain(DialectSpec.model_validate({"name": "own", "extends": extends}))]


def test_each_preset_is_called_as_its_file() -> None:
    """`upstream.dialect` in an answer is the word that a file says."""
    assert list(names()) == sorted(names())
    assert {name: spec.name for name, spec in specs().items()} == {name: name for name in names()}
    assert {preset(name).name for name in names()} == set(names())


def test_auto_asks_every_preset_that_can_tell() -> None:
    """A preset with `detect` is asked; the last resort is asked by nobody."""
    assert set(detected()) == {name for name, spec in specs().items() if spec.detect}
    assert LAST_RESORT not in detected()
    assert isinstance(preset("auto"), AutoDialect)


def test_a_preset_is_compiled_once() -> None:
    """Upstreams share it."""
    assert preset("salla") is preset("salla")


@pytest.mark.parametrize(
    ("extends", "order"),
    [
        ([], ["own"]),
        (["generic"], ["own", "generic"]),
        (["salla"], ["own", "salla", "oauth2", "generic"]),
        (["generic", "salla"], ["own", "salla", "oauth2", "generic"]),
        (["oauth2", "salla"], ["own", "oauth2", "salla", "generic"]),
        (["salla", "salla"], ["own", "salla", "oauth2", "generic"]),
    ],
)
def test_a_chain_has_each_dialect_once_and_the_last_resort_last(extends: list[str], order: list[str]) -> None:
    """Nearest first, whoever names the last resort first."""
    assert _names(extends) == order


@pytest.mark.parametrize("name", ["nobody", "own"])
def test_what_is_not_there_cannot_be_extended(name: str) -> None:
    """A name that is no preset is told before this; here it is a mistake of the caller."""
    with pytest.raises(KeyError):
        _names([name])
    with pytest.raises(KeyError):
        preset(name)


def test_a_preset_that_is_wrong_stops_the_program() -> None:
    """All faults of all presets at once: they are checked by the language that users write in."""
    files = {
        "good.yaml": "name: good\n",
        "bad.yaml": "nmae: bad\nerrors: [{code: 'a['}]\n",
        "worse.yaml": "a: [",
    }
    with pytest.raises(ConfigError) as caught:
        presets.parse(files)
    assert str(caught.value).splitlines() == [
        "presets/bad.yaml:1:1 nmae: this key is not known (did you mean name?)",
        "presets/bad.yaml:2:11 errors[0].code: not a JMESPath expression (character 3)",
        "presets/worse.yaml:1:5: not YAML: did not find expected node content",
    ]
    del files["bad.yaml"], files["worse.yaml"]
    assert list(presets.parse(files)) == ["good"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("sala", "did you mean salla?"),
        ("STRIPE", "did you mean stripe?"),
        ("html", "did you mean html-pages?"),
        ("auto", "auto can be chosen, not extended"),
        ("", "docs/reference/presets has a page for each"),
        ("z" * 100_000, "docs/reference/presets has a page for each"),
    ],
)
def test_a_name_that_nobody_has(name: str, hint: str) -> None:
    """Whoever writes it wrongly is told the nearest, and not a hundred others."""
    assert presets.hint(name) == hint


def test_what_may_stand_there_too() -> None:
    """Where more than presets can be chosen, that is proposed as well."""
    assert presets.hint("autoo", also=["auto"]) == "did you mean auto?"
