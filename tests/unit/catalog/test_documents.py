"""The strict reader of the catalogue's own files."""

from __future__ import annotations

import pytest
import yaml

from gateway.catalog import documents
from gateway.errors import ConfigError


def test_entries_keep_their_order_and_their_places() -> None:
    """Keys come in the order of the file, whole numbers as numbers, with the line and the column of the key."""
    b, two = documents.entries("b: {c: [1]}\n2: x\n", "f.yaml")
    assert (b.key, b.value, b.line, b.column) == ("b", {"c": [1]}, 1, 1)
    assert (two.key, two.value, two.line) == (2, "x", 2)


@pytest.mark.parametrize("text", ["a: {b: 1, b: 2}", "a: [{b: 1}, {b: 1, c: 2, b: 3}]", "a: 1\na: 1"])
def test_key_twice(text: str) -> None:
    """YAML forbids a key twice at any depth; PyYAML would take the last."""
    with pytest.raises(ConfigError, match="is there twice"):
        documents.entries(text, "f.yaml")


def test_same_key_in_two_mappings() -> None:
    """The same key may be in two mappings side by side."""
    assert len(documents.entries("a: {x: 1}\nb: {x: 1}", "f.yaml")) == 2


@pytest.mark.parametrize("text", ["a: !!python/object:x {}", "a: *b", "a: 'x", "a: b: c", "a:\n\t- b"])
def test_not_plain_yaml(text: str) -> None:
    """Broken YAML, and YAML that makes objects, is a fault with its place."""
    with pytest.raises(ConfigError, match=r"^f\.yaml:\d+:\d+: "):
        documents.entries(text, "f.yaml")


def test_reader_in_python_agrees() -> None:
    """Where PyYAML was built without libyaml, its own reader gives the same."""
    text = documents.package_text("statuses.yaml")
    assert documents.entries(text, "f.yaml", yaml.SafeLoader) == documents.entries(text, "f.yaml")


def test_fault_without_a_place() -> None:
    """A fault of which YAML does not tell the place is the whole file's."""
    fault = documents.syntax_fault(yaml.MarkedYAMLError(), "f.yaml")
    assert str(fault) == "f.yaml: is not YAML"
