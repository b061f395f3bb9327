"""The pages of the presets, made from their files: what each reads, how `auto` knows it, and what its examples give.

`python -m gateway.pipeline.presets docs/reference/presets` writes them all, and removes those of presets that are gone.
"""

from __future__ import annotations

import json
import sys
from http import HTTPStatus
from importlib import resources
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jinja2
import msgspec

from gateway.config import presets
from gateway.pipeline.examples import answer, plan_for, reply_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from gateway.dialects.spec import BudgetSpec, Condition, DialectSpec, Example, Pick

_PARTS: Final = ("status", "code", "type", "message", "fields", "request_id", "retry_after")
_FOLDER: Final = resources.files("gateway.dialects").joinpath("presets")
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
_LISTED: Final = 12
_LEFT_OUT: Final = frozenset(("type", "title", "instance", "source", "request_id"))


def page(name: str) -> str:
    """Return the page of a preset. Raises KeyError for one that does not exist."""
    spec = presets.spec(name)
    text = _FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return _template("preset.md.j2").render(
        name=name,
        about=_about(text),
        spec=spec,
        detect=[(one.confidence, "; ".join(_told(one.when))) for one in spec.detect],
        parts=_parts(spec),
        rules=[
            (rule.name or f"rule {number}", "; ".join(_told(rule.when))) for number, rule in enumerate(spec.errors, 1)
        ],
        tables=[(kind, codes) for kind, codes in _tables(spec) if codes],
        windows=[_row(window) for window in spec.rate_headers],
        plans=[(plan, "; ".join(_grant(one) for one in budgets)) for plan, budgets in spec.budgets.items()],
        examples=[_shown(name, example) for example in spec.examples],
    )


def _grant(budget: BudgetSpec) -> str:
    """Return what a plan grants, in words."""
    times = budget.model_dump(by_alias=True)["per"]
    where = f" on {', '.join(f'`{path}`' for path in budget.paths)}" if budget.paths else ""
    shape = ", evenly" if budget.shape == "leaky_bucket" else ""
    return f"{budget.requests} in {times}{shape}, by {budget.by}{where}"


def index() -> str:
    """Return the page that lists the presets."""
    texts = {name: _FOLDER.joinpath(f"{name}.yaml").read_text(encoding="utf-8") for name in presets.names()}
    rows = [(name, _about(text).partition("\n\n")[0]) for name, text in texts.items()]
    return _template("presets.md.j2").render(rows=rows)


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    return {"README.md": index()} | {f"{name}.md": page(name) for name in presets.names()}


def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(  # noqa: S701 - it makes Markdown, of nothing but our own
        loader=jinja2.PackageLoader("gateway.pipeline"),
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["cell"] = _cell
    return environment.get_template(name)


def _about(text: str) -> str:
    """Return the comment at the beginning of a preset's file: paragraphs are parted by an empty comment."""
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join(line.removeprefix("#").strip() for line in lines).strip()


def _cell(text: object) -> str:
    """Return a text as it stands in a cell of a table."""
    return str(text).replace("|", "\\|").replace("\n", " ")


def _code(value: object) -> str:
    """Return a value as code."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _told(condition: Condition) -> Iterator[str]:
    """Say in words what a condition tests."""
    if condition.status is not None:
        yield f"status {_statuses(condition.status)}"
    if condition.kind:
        yield "the body is " + " or ".join(kind.value for kind in condition.kind)
    if condition.content_type:
        yield "the content type is " + " or ".join(map(_code, condition.content_type))
    for words, test in (("field", condition.headers), ("", condition.body)):
        yield from _tests(words, test.model_dump(mode="json", exclude_defaults=True) if test is not None else {})
    for word, several in (("one of", condition.any), ("none of", condition.none)):
        if several:
            yield f"{word}: " + " / ".join("(" + "; ".join(_told(one)) + ")" for one in several)


def _tests(what: str, tests: Mapping[str, Any]) -> Iterator[str]:
    for test, value in tests.items():
        for path in value:
            wanted = value[path] if isinstance(value, dict) else None
            shown = " or ".join(_code(one) for one in (wanted if isinstance(wanted, list | tuple) else [wanted]))
            yield f"{what} {_code(path)} {_VERBS.get(test, test)}{f' {shown}' if wanted is not None else ''}".strip()


_VERBS: Final = {
    "has": "is there",
    "lacks": "is not there",
    "equals": "is",
    "type": "is of type",
    "items": "holds only",
    "contains": "contains",
    "matches": "matches",
    "status": "is a status of",
}


def _statuses(found: frozenset[int]) -> str:
    """Write statuses as they are written in a file: whole classes by their name."""
    classes = [first for first in range(1, 6) if found.issuperset(range(100 * first, 100 * first + 100))]
    names = [f"{first}xx" for first in classes]
    rest = sorted(status for status in found if status // 100 not in classes)
    return ", ".join([*names, *map(str, rest[:_LISTED])]) + (" and more" if len(rest) > _LISTED else "")


def _parts(spec: DialectSpec) -> list[tuple[str, str]]:
    """Return where each part is read: by the dialect, and by its rules."""
    readings = [spec.read, *spec.errors]
    found = []
    for part in _PARTS:
        texts = [_place(one) for reading in readings for one in _listed(getattr(reading, part))]
        if texts:
            found.append((part.replace("_", " "), ", ".join(dict.fromkeys(texts))))
    return found


def _listed(value: Any) -> tuple[Any, ...]:  # noqa: ANN401 - one of the models, or several
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _place(one: Any) -> str:  # noqa: ANN401 - a pick, or what has picks in it
    if getattr(one, "from_", None):
        return ", ".join(map(_pick, one.from_))
    return _pick(one) if hasattr(one, "header") else "what refills"


def _pick(pick: Pick) -> str:
    if pick.path is None:
        return f"the field {_code(pick.header)}" + (f", parameter {_code(pick.parameter)}" if pick.parameter else "")
    return _code(pick.path)


def _tables(spec: DialectSpec) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        ("code", list(spec.codes.items())),
        ("type", list(spec.types.items())),
        ("status", [(str(status), code) for status, code in spec.statuses.items()]),
        ("word for a field", [(word, code.value) for word, code in spec.field_codes.items()]),
    ]


def _row(window: BaseModel) -> list[tuple[str, str]]:
    """Return what a window of a limit is read from."""
    unsaid = {"counts"} - window.model_fields_set  # what is counted is requests, unless somebody says otherwise
    told = window.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=unsaid)
    return [(key, _code(value) if isinstance(value, str) else _time(value)) for key, value in told.items()]


def _time(value: Mapping[str, Any]) -> str:
    return f"{_code(value['header'])}, as {_code(value['as'])}"


def _shown(name: str, example: Example) -> dict[str, str]:
    """Return an example's name, its reply as it comes over the wire, and the document that clients get."""
    reply = reply_of(example.reply)
    _, document = answer(reply, plan_for(presets.preset(name), name))
    head = [f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, '')}".rstrip()]
    head += [f"{key.decode()}: {value.decode('utf-8', 'replace')}" for key, value in reply.headers]
    body = reply.body.decode("utf-8", "replace")
    return {
        "name": example.name,
        "reply": "\n".join([*head, "", body]).rstrip(),
        "document": "" if document is None else _document(msgspec.json.decode(document)),
    }


def _document(told: dict[str, Any]) -> str:
    """Write a document with a line for each member that is not the same in every one with its code."""
    told = {key: value for key, value in told.items() if key not in _LEFT_OUT}
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in told.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def write(folder: Path) -> None:
    """Write all pages into a folder, and remove those of presets that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = pages()
    for file in folder.glob("*.md"):
        if file.name not in found:
            file.unlink()
    for name, text in found.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
