"""The reference of the views: `python -m gateway.pipeline.reference > docs/reference/views.md`.

What a person has to say stands in `templates/views.md.j2`. What the code knows is put in: which media types ask for a
view, what each carries, and one problem written in all of them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import jinja2
import msgspec

from gateway.catalog import CODES
from gateway.config import views
from gateway.dialects.spec.writing import ERROR_MEMBERS, FORMS, MEMBERS
from gateway.headers import is_json
from gateway.model import (
    FieldCode,
    FieldError,
    Location,
    Origin,
    Party,
    Problem,
    Retry,
    Source,
    Stage,
    UpstreamError,
)
from gateway.pipeline.preference import offers
from gateway.pipeline.writers.table import GENERAL, Writers
from gateway.pipeline.writers.writer import EXTENSIONS, WHOLE

if TYPE_CHECKING:
    from gateway.pipeline.writers.writer import Writer

SAMPLE: Final = Problem(
    code=CODES["validation_failed"],
    status=422,
    source=Source(origin=Origin.UPSTREAM, fault=Party.CLIENT, upstream="parts", stage=Stage.RESPONSE),
    retry=Retry(retryable=False, after=None),
    errors=(
        FieldError(
            field="lines.0.count", pointer="#/lines/0/count", location=Location.BODY, code=FieldCode.REQUIRED,
            detail="A count is required.",
        ),
        FieldError(
            field="colour", pointer="#/colour", location=Location.BODY, code=FieldCode.INVALID, detail="No such colour."
        ),
    ),
    upstream=UpstreamError(status=400, code="E_INPUT", dialect="parts"),
)  # fmt: skip
_REQUEST_ID: Final = "019ab4c2-77aa-7d2e-9e0b-3d1f5f1c2a10"
_PUBLIC_URL: Final = "https://gateway.example"
_ROWS: Final = (*WHOLE, *EXTENSIONS)


def page() -> str:
    """Return the text of the page."""
    writers = Writers(views.of_presets())
    shown = [writers.named(name) for name in (*GENERAL, *views.of_presets())]
    environment = jinja2.Environment(  # noqa: S701 - it makes Markdown, of nothing but our own
        loader=jinja2.PackageLoader("gateway.pipeline"),
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("views.md.j2").render(
        offers=[(name, media_type.decode("ascii"), also) for name, media_type, also in offers()],
        carries=_carries(shown),
        samples="\n".join(_sample(writer) for writer in shown),
        members=", ".join(f"`${name}`" for name in MEMBERS),
        error_members=", ".join(f"`{name}`" for name in ERROR_MEMBERS),
        forms=", ".join(f"`{name}`" for name in FORMS),
    )


def _carries(writers: list[Writer]) -> str:
    """Return the table of what is carried, a column for each view."""
    head = ["member", *(f"`{writer.name}`" for writer in writers)]
    rows = [[f"`{member}`", *(writer.carries.get(member, "") for writer in writers)] for member in _ROWS]
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _sample(writer: Writer) -> str:
    """Return a section that shows the sample in a view."""
    body = writer.write(SAMPLE, _REQUEST_ID, _PUBLIC_URL, "en")
    media_type = writer.media_type.decode("ascii")
    if is_json(writer.media_type):
        language, text = "json", msgspec.json.format(body, indent=2).decode() + "\n"
    else:
        language, text = ("xml" if "xml" in media_type else "text"), body.decode().rstrip("\n") + "\n"
    return f"### {writer.name}\n\n`{media_type}`\n\n```{language}\n{text}```\n"


if __name__ == "__main__":
    # Bytes, since the encoding of a pipe depends on the machine.
    sys.stdout.buffer.write(page().encode())
