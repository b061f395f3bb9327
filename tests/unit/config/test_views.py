"""Names of views in the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config import views
from gateway.config.load import load
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.config.load import Configuration

KEY = "0" * 64
WRITE = "write: {body: {a: $status}}"


def load_files(folder: Path, gateway: str = "", **upstreams: str) -> Configuration:
    """Load a gateway's file and upstream files, each with what is said here behind what must be said."""
    (folder / "upstreams").mkdir()
    (folder / "gateway.yaml").write_text(f"version: 1\n{gateway}\n", encoding="utf-8")
    for name, text in upstreams.items():
        head = f"version: 1\nname: {name}\nbase_url: https://{name}.example\nmatch: {{prefix: /{name}}}\n"
        (folder / "upstreams" / f"{name}.yaml").write_text(f"{head}{text}\n", encoding="utf-8")
    return load(folder / "gateway.yaml")


def faults_of(folder: Path, gateway: str = "", **upstreams: str) -> list[str]:
    """Return what is wrong, files named relative to the folder."""
    with pytest.raises(ConfigError) as found:
        load_files(folder, gateway, **upstreams)
    return [str(fault).removeprefix(f"{folder}/") for fault in found.value.faults]


def test_every_place_and_every_kind(tmp_path: Path) -> None:
    """A client, an upstream and a route may name a general view, a preset, or a dialect of any upstream's own."""
    config = load_files(
        tmp_path,
        f"clients: [{{name: c, api_key_sha256: ['{KEY}'], view: b}}]",
        a="view: text\nroutes: [{match: {path: /x}, view: salla}]",
        b=f"dialect: {{{WRITE}}}",
        c=f"dialect: {{name: another, {WRITE}}}\nview: another",
    )
    assert [config.gateway.clients[0].view, config.upstreams[0].settings.view] == ["b", "text"]
    assert config.upstreams[0].settings.routes[0].view == "salla"
    assert set(config.views) == {*views.of_presets(), "b", "another"}


def test_a_view_may_be_called_otherwise_than_its_dialect(tmp_path: Path) -> None:
    """`write.view` is the name then, of a preset's and of one's own."""
    own = f"dialect: {{{WRITE.replace('write: {', 'write: {view: ours, ')}}}\nview: ours"
    (tmp_path / "well").mkdir()
    assert "ours" in load_files(tmp_path / "well", a=own, b="view: google").views
    assert faults_of(tmp_path, a=own.replace("ours", "google")) == [
        "upstreams/a.yaml:5:19 dialect.write.view: a view has this name already: give the dialect another name"
    ]


def test_names_that_do_not_exist(tmp_path: Path) -> None:
    """Each is a fault with its place, with a suggestion or with what there is, even where the rest is wrong."""
    known = ", ".join((*views.GENERAL, *views.of_presets(), "mine"))
    found = faults_of(
        tmp_path,
        f"clients:\n  - name: c\n    api_key_sha256: ['{KEY}']\n    view: problem-jsn\nnonsense: 1",
        a="view: zzz\nroutes: [{match: {path: /x}, view: sala}]\nnonsense: 1",
        mine=f"dialect: {{{WRITE}}}\nnonsense: 1",
    )
    assert [fault for fault in found if "nonsense" not in fault] == [
        "gateway.yaml:5:5 clients[0].view: there is no such view (did you mean problem-json?)",
        f"upstreams/a.yaml:5:1 view: there is no such view (known: {known})",
        "upstreams/a.yaml:6:30 routes[0].view: there is no such view (did you mean salla?)",
    ]
    assert len(found) == 6


def test_a_view_has_one_meaning(tmp_path: Path) -> None:
    """A dialect that can be written must not have the name of another view; without `write` it may."""
    text = "dialect: {name: salla, extends: salla}"
    assert faults_of(
        tmp_path,
        a=f"dialect: {{name: salla, {WRITE}}}",
        b=f"dialect: {{name: twice, {WRITE}}}",
        text=f"dialect: {{{WRITE}}}",
        twice=f"dialect: {{{WRITE}}}",
        d=text,
    ) == [
        "upstreams/a.yaml:5:11 dialect.name: a view has this name already: give the dialect another name",
        "upstreams/text.yaml:2:1 name: a view has this name already: give the dialect another name",
        "upstreams/twice.yaml:2:1 name: a view has this name already: give the dialect another name",
    ]


@pytest.mark.parametrize(
    "text", ["view: 7", "routes: 7", "routes: [7]", "routes: [{view: [a]}]", "dialect: {name: 7, write: {body: 1}}"]
)
def test_values_of_the_wrong_type_are_told_by_the_model(text: str, tmp_path: Path) -> None:
    """They are no names, so nothing is said of them here."""
    assert not any("view" in fault.partition(": ")[2] for fault in faults_of(tmp_path, a=text))


def test_a_template_is_checked_with_the_rest(tmp_path: Path) -> None:
    """A typo in a user's own `write` has its place in the file."""
    assert faults_of(tmp_path, a="dialect:\n  write:\n    body: {a: $detial}") == [
        "upstreams/a.yaml:7:12 dialect.write.body.a: there is nothing of this name to take (did you mean $detail?)"
    ]
