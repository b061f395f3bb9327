"""The values that the program speaks in."""

from __future__ import annotations

import msgspec
import pytest

from gateway import model
from gateway.dialects import bodies, reader
from gateway.model import FieldCode, FieldError, Location, Reply, first_value
from gateway.pipeline import decide, document, plan


def test_the_first_field_of_a_name_counts() -> None:
    """Names are compared without regard to case; a second field of the name is not looked at."""
    headers = ((b"X-Other", b"0"), (b"retry-AFTER", b"1"), (b"Retry-After", b"2"))
    assert first_value(headers, b"retry-after") == b"1"
    assert first_value(headers, b"date") is None
    assert Reply(status=503, headers=headers).header(b"retry-after") == b"1"


VALUES = [
    value
    for module in (model, bodies, reader, decide, document, plan)
    for value in vars(module).values()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_values_are_frozen(value: type[msgspec.Struct]) -> None:
    """A value that several parts of the program hold is the same for all of them."""
    assert value.__struct_config__.frozen


@pytest.mark.parametrize(("position", "has_position"), [(4, True), (0, True), (msgspec.UNSET, False)])
def test_what_is_unset_is_not_written(position: int | msgspec.UnsetType, *, has_position: bool) -> None:
    """`position` stands only in errors of upstreams that count positions; 0 is a position."""
    error = FieldError(
        field="a", pointer="#/a", location=Location.BODY, code=FieldCode.OTHER, detail=None, position=position
    )
    found = msgspec.json.decode(msgspec.json.encode(error))
    assert ("position" in found) == has_position
    assert list(found)[:5] == ["field", "pointer", "location", "code", "detail"]
