"""Every example in a preset's file is a test of that preset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config import presets
from gateway.pipeline.examples import differences, plan_for

if TYPE_CHECKING:
    from gateway.dialects.spec import Example

EXAMPLES = [(name, example) for name in presets.names() for example in presets.specs()[name].examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}: {example.name}" for name, example in EXAMPLES])
def test_example(name: str, example: Example) -> None:
    """What a preset's file promises of a reply comes out."""
    assert differences(example, plan_for(presets.preset(name), name)) == []


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_has_examples(name: str) -> None:
    """A preset that promises nothing cannot be held to anything."""
    assert len(presets.specs()[name].examples) >= 5
