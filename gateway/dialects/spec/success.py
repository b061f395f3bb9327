"""Success envelopes, and the header fields that tell what an API still grants."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from gateway.dialects.spec.condition import Condition
from gateway.dialects.spec.values import OneOrList, Paths, PlainPath, ShortForm, Strict
from gateway.dialects.timing import TimeForm


class PaginationSpec(Strict):
    """Where a page stands in its collection; paths count from `from`."""

    from_: Annotated[Paths, Field(alias="from")] = ("@",)
    page: Paths = ()
    per_page: Paths = ()
    total: Paths = ()
    total_pages: Paths = ()
    next: Paths = ()
    prev: Paths = ()
    has_more: Paths = ()


class WarningsSpec(Strict):
    """Items of a partial success that failed."""

    when: Condition = Condition()
    from_: Annotated[Paths, Field(alias="from")]
    """Lists of the items that failed."""
    index: Paths = ()
    code: Paths = ()
    detail: Paths = ()
    field: Paths = ()


class SuccessSpec(Strict):
    """How a success is taken out of its envelope, or that it is not (`unify: false`, written short `success: pass`)."""

    short_form: ClassVar[ShortForm] = {"enum": ["unify", "pass"]}

    unify: bool = True
    """Successes are given as `{"data": …, "meta": …}`."""
    envelope: Condition | None = None
    """Which successes are in an envelope; others go whole into `data`. Left out, those that have `data`'s path."""
    data: PlainPath | None = None
    """The payload in the envelope; its bytes are passed on unchanged."""
    message: Paths = ()
    """A confirming text in the envelope."""
    pagination: PaginationSpec | None = None
    warnings: tuple[WarningsSpec, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"unify": value == "unify"} if value in ("unify", "pass") else value


class TimeHeader(Strict):
    """A header field that holds a time."""

    short_form: ClassVar[ShortForm] = {"type": "string", "description": "The name; the form of the time is guessed."}

    header: str
    as_: Annotated[TimeForm, Field(alias="as")] = TimeForm.AUTO

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"header": value} if isinstance(value, str) else value


class RateWindow(Strict):
    """The header fields in which the API tells what it still grants in one window."""

    limit: str | None = None
    remaining: str | None = None
    reset: TimeHeader | None = None
    """When the window ends, or how long until then; declare its form with `as`."""


RateWindows = Annotated[tuple[RateWindow, ...], OneOrList()]
