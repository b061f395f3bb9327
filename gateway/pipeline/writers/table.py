"""All views by name: the general ones, and those of dialects that say how they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.config import views
from gateway.pipeline.render import PROBLEM_TYPE, problem_document
from gateway.pipeline.writers import json_api, problem_xml, text
from gateway.pipeline.writers.template import template_writer
from gateway.pipeline.writers.writer import EXTENSIONS, WHOLE, Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.dialects.spec import WriteSpec

PROBLEM_JSON: Final = Writer(
    name=views.PROBLEM_JSON, media_type=PROBLEM_TYPE, carries={**WHOLE, **EXTENSIONS}, write=problem_document
)
PROBLEM_XML: Final = Writer(
    name=views.PROBLEM_XML, media_type=problem_xml.TYPE, carries=problem_xml.CARRIES, write=problem_xml.write
)
JSON_API: Final = Writer(name=views.JSON_API, media_type=json_api.TYPE, carries=json_api.CARRIES, write=json_api.write)
TEXT: Final = Writer(name=views.TEXT, media_type=text.TYPE, carries=text.CARRIES, write=text.write)

GENERAL: Final[Mapping[str, Writer]] = {one.name: one for one in (PROBLEM_JSON, PROBLEM_XML, JSON_API, TEXT)}
"""The views of no dialect, in the order in which they are offered."""


class Writers:
    """The views that a configuration can name. Each dialect's is compiled once, when it is asked for."""

    def __init__(self, specs: Mapping[str, WriteSpec]) -> None:
        """Take the dialects that can be written, by the names of their views."""
        self._specs = specs
        self._made = dict(GENERAL)

    def named(self, name: str) -> Writer:
        """Return a view. Raises KeyError for one that does not exist; a configuration that loaded names none such."""
        writer = self._made.get(name)
        if writer is None:
            writer = self._made[name] = template_writer(name, self._specs[name])
        return writer
