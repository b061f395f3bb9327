"""A whole dialect, with its examples."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gateway.dialects.spec.budgets import BudgetSpecs, PauseSpecs
from gateway.dialects.spec.condition import Condition
from gateway.dialects.spec.reading import Classification, Reading, Rule
from gateway.dialects.spec.success import RateWindows, SuccessSpec
from gateway.dialects.spec.values import CodeName, OneOrList, ShortForm, Strict, Texts
from gateway.dialects.spec.writing import WriteSpec
from gateway.model import FieldCode


class Detection(Strict, title="detection"):
    """By what `dialect: auto` knows a reply, and how surely."""

    short_form: ClassVar[ShortForm] = "when"

    when: Condition
    """What is so only of a reply of this dialect."""
    confidence: Annotated[int, Field(ge=1, le=100)] = 80
    """How sure that makes: 95 and more for what nobody else writes, 80 for members that stand together nowhere else, 60
    for a shape that others may share. Below 50 it counts only for an upstream that is known to speak this dialect.
    """

    @model_validator(mode="before")
    @classmethod
    def _from_condition(cls, value: Any) -> Any:
        full = isinstance(value, dict) and not value.keys().isdisjoint(("when", "confidence"))
        return value if full else {"when": value}


Detections = Annotated[tuple[Detection, ...], OneOrList()]


class ExampleReply(Strict, title="example reply"):
    """A captured reply. Give the body as text, or as JSON written in YAML under `json`."""

    status: int
    """The HTTP status."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Header fields, by name."""
    body: str = ""
    """The body as text."""
    json_: Annotated[Any, Field(alias="json")] = None
    """The body as JSON, written in YAML; it comes with `Content-Type: application/json`."""


class Example(Strict, title="example"):
    """A reply and what must become of it; every example is a test."""

    name: str
    """What it shows."""
    reply: ExampleReply
    """What the upstream sent."""
    expect: dict[str, Any] | Literal["pass"]
    """Members of the problem document, or of the unified success, that must come out; objects are compared in part,
    lists as a whole. The word `pass` stands for a reply that is not touched.
    """


class DialectSpec(Strict, title="dialect"):
    """How an API writes its errors and successes."""

    name: str | None = None
    """The dialect's name, told in `upstream.dialect`; an upstream's own dialect is named after the upstream."""
    extends: Texts = ("generic",)
    """Dialects whose rules are tried after these, and whose other facts hold where this one is silent."""
    unwrap: bool = False
    """An answer may come as a list of one object, and is then that object."""
    accept: str | None = None
    """The `Accept` that this API demands; the client's own then does not reach it."""
    detect: Detections = ()
    """By what `dialect: auto` knows a reply of this dialect; a condition alone makes it 80 sure."""
    read: Reading = Reading()
    """What every rule of this dialect reads, where it does not say otherwise."""
    errors: tuple[Rule, ...] = ()
    """The ways in which errors are written, in the order in which they are tried."""
    classify: tuple[Classification, ...] = ()
    """Conditions that name our code, tried in their order, before `codes`."""
    codes: dict[str, CodeName] = Field(default_factory=dict)
    """The upstream's codes and what they mean in the catalogue."""
    types: dict[str, CodeName] = Field(default_factory=dict)
    """The upstream's types of errors and what they mean, where its code says nothing."""
    statuses: dict[Annotated[int, Field(title="status code")], CodeName] = Field(default_factory=dict)
    """What a status means with this API where nothing names the cause; the client gets the status unchanged."""
    field_codes: dict[str, FieldCode] = Field(default_factory=dict)
    """The upstream's words for what is wrong with a field."""
    rate_headers: RateWindows = ()
    """The header fields that tell what the API still grants: one window, or a list of them."""
    budgets: dict[Annotated[str, Field(title="plan", pattern=r"^[a-z0-9][a-z0-9._-]{0,30}$")], BudgetSpecs] = Field(
        default_factory=dict
    )
    """What the API grants, by the name of a plan: one budget or a list of them. An upstream that says `budget: {plan:
    NAME}` is held to it.
    """
    rate_bucket: str | None = None
    """The field that names the bucket in which a request was counted, where the API has several."""
    pauses: PauseSpecs = ()
    """For which replies nothing is sent for some time, and how far that reaches; the first that holds counts. Left out:
    429, and 503 with `Retry-After`, for the bucket.
    """
    success: SuccessSpec | None = None
    """How successes are taken out of their envelope. Left out, as the dialects it extends say; where none of them says
    anything, successes pass.
    """
    write: WriteSpec | None = None
    """How a problem is written in this dialect, so that it can be a [view](views.md). It is not taken from the dialects
    it extends.
    """
    examples: tuple[Example, ...] = ()
    """Replies and what must become of them; `accord check` runs them."""
