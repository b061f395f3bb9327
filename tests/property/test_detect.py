"""No sign is missed: whatever holds for a reply is among the signs that it is asked about."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.dialects.detect import Signs
from gateway.dialects.reader import Dialect
from gateway.dialects.spec import Detection, DialectSpec
from tests.property.test_paths import listed
from tests.unit.dialects.views import view_of

DIALECT = Dialect([DialectSpec.model_validate({"name": "any", "extends": []})])
_paths = st.sampled_from(["a", "b", "a.b", "b.a", "a[0].b", "[0].a", "a[1]", "@", "a[].b", '"a b".a'])
_types = st.sampled_from(["object", "null", "string", "number"])
_tests = st.one_of(
    st.fixed_dictionaries({"has": _paths}),
    st.fixed_dictionaries({"lacks": _paths}),
    st.builds(lambda path, kinds: {"type": {path: kinds}}, _paths, st.lists(_types, min_size=1)),
    st.builds(lambda path, value: {"equals": {path: value}}, _paths, st.sampled_from(["", "x", None, 1, False])),
    st.builds(lambda path: {"matches": {path: "x?"}}, _paths),
)
_conditions: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        st.builds(lambda test: {"body": test}, _tests),
        st.just({"headers": {"has": "X-Id"}}),
        st.builds(lambda kind: {"kind": kind}, st.sampled_from(["json", "text", "empty"])),
    ),
    lambda inner: st.one_of(
        st.builds(lambda options: {"any": options}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one, other: {**one, "none": [other]}, inner, inner),
        st.builds(lambda one, other: {**other, **one}, inner, inner),
    ),
    max_leaves=4,
)


@given(conditions=st.lists(_conditions, max_size=6), tree=st.one_of(listed, st.just(b"words")), known=st.booleans())
def test_no_sign_is_missed(conditions: list[dict[str, Any]], tree: object, *, known: bool) -> None:
    """The tree of members only leaves out signs that do not hold."""
    signs = Signs([(Detection.model_validate({"when": condition}), DIALECT) for condition in conditions])
    view = view_of(tree, headers={"X-Id": "1"} if known else None)
    asked = signs.of(view)
    assert [sign for sign in signs.all if sign.holds(view) and sign not in asked] == []
