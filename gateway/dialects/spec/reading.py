"""Rules: how an error is read, and which code of the catalogue it means."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from gateway.dialects.spec.condition import Condition
from gateway.dialects.spec.values import CodeName, OneOrList, Path, Pattern, ShortForm, Strict, Texts, statuses
from gateway.dialects.timing import TimeForm
from gateway.model import Location


class Pick(Strict, title="pick"):
    """Where a value is found: a path into the body, or a header field (or a parameter of it), and what is taken of it.

    What is taken is worked out in the order of the keys here.
    """

    short_form: ClassVar[ShortForm] = {"title": "path", "type": "string", "description": "A JMESPath into the body."}

    path: Path | None = None
    """A JMESPath into the body; alone it is written without the key."""
    header: str | None = None
    """The name of a header field."""
    parameter: str | None = None
    """A parameter of the field's challenge, such as `error` in `WWW-Authenticate: Bearer error="invalid_token"`."""
    json_: Annotated[Path | None, Field(alias="json")] = None
    """The text that is found is itself JSON, or ends in it; what counts is at this path in that."""
    through: str | None = None
    """The name of a member that leads deeper, as often as it is there; what counts is at `take` in the deepest object
    that has it.
    """
    take: Path | None = None
    """With `through`: the path that counts in each object."""
    pattern: Pattern | None = None
    """The text must match this RE2 pattern somewhere; what its first group matched counts, or all that it matched."""
    after: str | None = None
    """Only what stands behind the last of this counts; all, where it is not in the text."""
    before: str | None = None
    """Only what stands before the first of this counts; all, where it is not in the text."""
    enum: dict[str, str] = Field(default_factory=dict)
    """Names of values, such as `{"5": NOT_FOUND}`; a number is looked for by its text. Others stay as they are."""
    fill: Path | None = None
    """Placeholders in the text (`%1`, `%name`, `{name}`, `${name}`, `%{name}`, `{{name}}`) get the values of the list
    or object at this path, which counts from where `path` counts.
    """

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_place(self) -> Pick:
        if (self.path is None) == (self.header is None) or (self.parameter is not None and self.header is None):
            message = "name a path, or a header (with or without a parameter)"
            raise ValueError(message)
        if (self.through is None) != (self.take is None):
            message = "through and take belong together: which member leads deeper, and what is taken there"
            raise ValueError(message)
        return self


Picks = Annotated[tuple[Pick, ...], OneOrList()]
"""Places in the order in which they are tried: the first that holds a value of the right type counts."""


class Each(Strict, title="each"):
    """How one object of a list of field errors is read."""

    field: Picks = ()
    """The field's name; a list of keys is joined with dots. In a `tree` it is put behind the name of the object around
    the item.
    """
    names: Picks = ()
    """A list of names, each of which has this error; where it finds none, `field` counts."""
    pointer: Picks = ()
    """A JSON pointer to the field, with or without `#`."""
    detail: Picks = ()
    """What is wrong with it; a list of texts gives an error each."""
    code: Picks = ()
    """The upstream's own word for what is wrong with it."""
    location: Picks = ()
    """Which part of the request it is in, in any usual word: `body`, `query`, `querystring`, `path`, `params`,
    `header`, `headers` and so on.
    """
    located: bool = False
    """The first key of the field's path names the part of the request: body, query, path, header."""


class Shape(StrEnum):
    """How field errors are written (docs/reference/dialects.md shows each)."""

    TREE = "tree"
    LIST = "list"
    POSITIONS = "positions"
    PARAM = "param"


class FieldsSpec(Strict, title="fields"):
    """Where the field errors stand and in which shape."""

    from_: Annotated[Picks, Field(alias="from")]
    """Places of the field errors, tried in turn."""
    shape: Shape | None = None
    """`tree` (an object of names to texts, lists of texts, or deeper objects), `list` (of objects or texts),
    `positions` (position to name) or `param` (one name, or a list of names). Left out, it is `tree` for an object and
    `list` for a list or a text.
    """
    each: Each = Each()
    """How an item of a list is read: an object, or a text, which is at `@`."""
    detail: Picks = ()
    """For `positions` and `param`: what is wrong; left out, the message. For a list of names a list of as many texts is
    taken in pairs with them.
    """
    code: Picks = ()
    """For `positions` and `param`: the upstream's own word for what is wrong."""
    location: Location | None = Location.BODY
    """Which part of the request the fields are in; null when that is not known. Fields of a request without a body are
    told as `query`.
    """
    strip: Texts = ()
    """Beginnings of pointers that are not part of the field: `/data/attributes`."""
    skip: Texts = ()
    """For `tree`: keys that are not fields."""
    markers: Texts = ()
    """For `tree`: keys that are no part of a field's name: what is under them speaks of the object around them, such as
    `_errors`, `non_field_errors` or `children`.
    """


FieldsSpecs = Annotated[tuple[FieldsSpec, ...], OneOrList()]


class StatusPick(Strict, title="status pick"):
    """Where the body declares its own status."""

    short_form: ClassVar[ShortForm] = "from"

    from_: Annotated[Picks, Field(alias="from")]
    """Places of the status: a whole number, or a text of three digits. Alone they are written without the key."""
    wins: bool = False
    """The body's status counts even where HTTP itself says 4xx or 5xx. Under 2xx it always does."""

    @model_validator(mode="before")
    @classmethod
    def _from_pick(cls, value: Any) -> Any:
        return value if isinstance(value, dict) and "from" in value else {"from": value}


class Refill(Strict, title="refill"):
    """A bucket that fills evenly: the time until it holds what a request needs."""

    need: Path
    """How much the request needs."""
    have: Path
    """How much there is."""
    per_second: Path
    """How much comes back in a second."""


class TimePick(Strict, title="time pick"):
    """A time in the body or in a header field, with the form in which it is written; or a bucket that refills."""

    from_: Annotated[Picks, Field(alias="from")] = ()
    """Places of the time, tried in turn."""
    as_: Annotated[TimeForm, Field(alias="as")] = TimeForm.DELTA_SECONDS
    """The form in which it is written."""
    refill: Refill | None = None
    """In place of `from`: a bucket that fills evenly."""
    last: bool = False
    """For what is said in words: asked only where no header field tells the time either, of errors that may pass by
    themselves, and of quotas.
    """

    @model_validator(mode="after")
    def _one_source(self) -> TimePick:
        if bool(self.from_) == (self.refill is not None):
            message = "say where the time is (from), or what it is worked out of (refill)"
            raise ValueError(message)
        return self


TimePicks = Annotated[tuple[TimePick, ...], OneOrList()]


class Reading(Strict, title="reading"):
    """What is read from an error; a rule's own values stand before those of the dialect's `read`."""

    status: StatusPick | None = None
    """Where the body declares its status."""
    code: Picks = ()
    """The upstream's code: a text or a whole number."""
    type: Picks = ()
    """The upstream's type of error."""
    message: Picks = ()
    """What the upstream says; the first usable text becomes the problem's detail."""
    sentence: Annotated[str, Field(pattern=r"\{detail\}")] | None = None
    """The problem's detail where no message is usable, made of the first field error: `"{field} {detail}"`."""
    fields: FieldsSpecs = ()
    """The field errors; the first entry that finds any counts."""
    request_id: Picks = ()
    """The upstream's own id of the request."""
    retry_after: TimePicks = ()
    """When to try again, where the body says it."""
    extensions: bool = False
    """Members of the body's root that are not of RFC 9457 are kept as extension members."""


class Rule(Reading, title="rule"):
    """One way in which this API writes an error. The first rule whose condition holds reads the reply."""

    name: str | None = None
    """What it is called, for whoever reads the file."""
    when: Condition = Condition(status=statuses("4xx-5xx"))
    """Which replies are read by this rule; without a status, those with 4xx or 5xx. Name 2xx for errors hidden
    there.
    """
    problem: CodeName | None = None
    """The code of the catalogue that this rule means."""
    error: bool = True
    """`false`: what looks like an error is none (a polling answer) and passes as it is."""

    @model_validator(mode="after")
    def _failures_by_default(self) -> Rule:
        if self.when.status is None:
            failures = self.when.model_copy(update={"status": statuses("4xx-5xx")})
            object.__setattr__(self, "when", failures)
        return self


class Classification(Strict, title="classification"):
    """A condition that names the code of an error, whatever rule read it. All keys that are given must hold."""

    when: Condition = Condition()
    """Which replies it is for; left out, all."""
    code: Pattern | None = None
    """An RE2 pattern that the upstream's code, or else its type, must match somewhere."""
    says: Texts = ()
    """Phrases of which the upstream's message must contain one; case, Arabic vowel signs and spacing do not count."""
    fields: bool | None = None
    """Whether field errors with names must be there, or must not."""
    as_: Annotated[CodeName, Field(alias="as")]
    """The code that they have."""
