"""Plans for reading replies, made of what a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gateway.config import presets
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import DialectSpec
from gateway.pipeline.examples import plan_for

if TYPE_CHECKING:
    from gateway.pipeline.plan import Plan


def plan_with(dialect: str | dict[str, Any] = "salla", **changes: Any) -> Plan:  # noqa: ANN401 - members of a plan
    """Return a plan of a preset, or of a dialect as YAML has it, with some members changed."""
    if isinstance(dialect, str):
        compiled = presets.preset(dialect)
    else:
        compiled = Dialect(presets.chain(DialectSpec.model_validate({"extends": [], "name": "own", **dialect})))
    return msgspec.structs.replace(plan_for(compiled, "shop"), **changes)
