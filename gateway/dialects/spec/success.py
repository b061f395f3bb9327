"""Success envelopes, and the header fields that tell what an API still grants."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from gateway.dialects.spec.condition import Condition
from gateway.dialects.spec.durations import Duration
from gateway.dialects.spec.values import OneOrList, Paths, PlainPath, ShortForm, Strict
from gateway.dialects.timing import TimeForm


class PaginationSpec(Strict, title="pagination"):
    """Where a page stands in its collection; paths count from `from`."""

    from_: Annotated[Paths, Field(alias="from")] = ("@",)
    """Places of the object that the other paths count from; `@` is the root."""
    page: Paths = ()
    """The number of this page."""
    per_page: Paths = ()
    """How many items a page holds."""
    total: Paths = ()
    """How many items there are."""
    total_pages: Paths = ()
    """How many pages there are."""
    next: Paths = ()
    """The address of the next page; one under `base_url` is mapped to ours."""
    prev: Paths = ()
    """The address of the page before."""
    has_more: Paths = ()
    """Whether there are more pages; left out, known from `next`, or from `page` and `total_pages`."""


class WarningsSpec(Strict, title="warning"):
    """Items of a partial success that failed."""

    when: Condition = Condition()
    """Which successes can be partial; left out, all."""
    from_: Annotated[Paths, Field(alias="from")]
    """Lists of the items that failed; the other paths count from an item."""
    index: Paths = ()
    """The item's place in what was submitted."""
    code: Paths = ()
    """The upstream's code for what is wrong with it."""
    detail: Paths = ()
    """What is wrong with it."""
    field: Paths = ()
    """The field that is wrong."""


class SuccessSpec(Strict, title="success"):
    """How a success is taken out of its envelope, or that it is not (`unify: false`, written short `success: pass`)."""

    short_form: ClassVar[ShortForm] = {"enum": ["unify", "pass"]}

    unify: bool = True
    """Successes are given as `{"data": …, "meta": …}`; `false`: they pass as they are."""
    envelope: Condition | None = None
    """Which successes are in an envelope; others go whole into `data`. Left out, those that have `data`'s path."""
    data: PlainPath | None = None
    """The payload in the envelope; its bytes are passed on unchanged."""
    message: Paths = ()
    """A confirming text in the envelope."""
    pagination: PaginationSpec | None = None
    """Where a page stands in its collection."""
    warnings: tuple[WarningsSpec, ...] = ()
    """Items of a partial success that failed; the first entry that finds any counts."""

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"unify": value == "unify"} if value in ("unify", "pass") else value


class TimeHeader(Strict, title="time field"):
    """A header field that holds a time."""

    short_form: ClassVar[ShortForm] = {
        "title": "field name",
        "type": "string",
        "description": "The name; the form of the time is guessed.",
    }

    header: str
    """The field's name; alone it is written without the key."""
    as_: Annotated[TimeForm, Field(alias="as")] = TimeForm.AUTO
    """The form in which the time is written; `auto` guesses it from the size of the number."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"header": value} if isinstance(value, str) else value


class RateWindow(Strict, title="rate window"):
    """The header fields in which the API tells what it still grants in one window."""

    limit: str | None = None
    """The field with the number of requests that the window has."""
    remaining: str | None = None
    """The field with the number of requests that are left."""
    used: str | None = None
    """The field with the number of requests that were made; with `limit` it tells how many are left."""
    pair: str | None = None
    """A field with both, the number of requests that were made and the limit: `32/40`."""
    reset: TimeHeader | None = None
    """The field that says when the window ends, or how long until then; declare its form with `as`."""
    refills: Literal["by_reset"] | Duration | None = None
    """For a bucket that fills evenly, where a window has all back at once: how long it takes from empty to full, or
    `by_reset`, if `reset` says when it is full.
    """
    counts: Literal["requests", "other"] = "requests"
    """What is counted. Of anything but requests the gateway learns how much of it a request costs."""


RateWindows = Annotated[tuple[RateWindow, ...], OneOrList()]
