"""Conditions: which replies a rule is for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from gateway.dialects.spec.values import OneOrList, Path, Paths, Pattern, Scalars, Statuses, Strict, Texts


class TypeName(StrEnum):
    """The type of a value in a body."""

    OBJECT = "object"
    LIST = "list"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


class BodyKind(StrEnum):
    """What a body turned out to be, whatever its content type claims."""

    JSON = "json"
    XML = "xml"
    HTML = "html"
    TEXT = "text"
    FORM = "form"
    EMPTY = "empty"
    OPAQUE = "opaque"


TypeNames = Annotated[tuple[TypeName, ...], OneOrList()]
BodyKinds = Annotated[tuple[BodyKind, ...], OneOrList()]


class BodyTest(Strict, title="body test"):
    """Tests on the body; all of them must hold."""

    has: Paths = ()
    """Paths that must find something: not null, not an empty text, list or object."""
    lacks: Paths = ()
    """Paths that must find nothing, or something empty."""
    equals: dict[Path, Scalars] = Field(default_factory=dict)
    """Path to value, or to a list of values of which one must be found. `1` does not equal `"1"` nor `true`."""
    type: dict[Path, TypeNames] = Field(default_factory=dict)
    """Path to the type of what is found there, or to a list of types. What is not there is `null`."""
    items: dict[Path, TypeNames] = Field(default_factory=dict)
    """Path to types: an object or a list must be there that is not empty, and whatever is in it must be of one of them
    (so far as its first 256 members tell).
    """
    contains: dict[Path, Texts] = Field(default_factory=dict)
    """Path to phrases of which the text found there must contain one; case, Arabic vowel signs and spacing do not
    count.
    """
    matches: dict[Path, Pattern] = Field(default_factory=dict)
    """Path to an RE2 pattern (linear time) that the text found there must match somewhere."""
    status: dict[Path, Statuses] = Field(default_factory=dict)
    """Path to statuses: a number, or a text of digits, that must be one of them."""


class HeaderTest(Strict, title="header test"):
    """Tests on the header; all of them must hold. Names are matched without regard to case."""

    has: Texts = ()
    """Fields that must be there."""
    lacks: Texts = ()
    """Fields that must not be there."""
    equals: dict[str, Texts] = Field(default_factory=dict)
    """Field to its whole value, or to a list of values of which one must be it."""
    contains: dict[str, Texts] = Field(default_factory=dict)
    """Field to phrases of which its value must contain one."""
    matches: dict[str, Pattern] = Field(default_factory=dict)
    """Field to an RE2 pattern that its value must match somewhere."""


class Condition(Strict, title="condition"):
    """A test on a reply; every key that is given must hold."""

    status: Statuses | None = None
    """The HTTP status; under `classify`, the status that counts (the body's own where a dialect says so)."""
    kind: BodyKinds = ()
    """What the body is, whatever its content type claims; `opaque` is what cannot be read."""
    content_type: Texts = ()
    """Media types, without parameters: `application/problem+json`."""
    headers: HeaderTest | None = None
    """Tests on the header."""
    body: BodyTest | None = None
    """Tests on the body."""
    any: tuple[Condition, ...] = ()
    """One of these must hold."""
    none: tuple[Condition, ...] = ()
    """None of these may hold."""
