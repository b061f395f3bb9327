"""What a page tells its reader to do, as a list of steps. It reads text alone: it runs nothing and opens no file.

The rules are told to authors in CONTRIBUTING.md, "Commands in pages".
"""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

PRINTED: Final = ("text", "json", "http")
NOT_ALLOWED: Final = ("bash", "shell", "zsh", "shell-session", "")
"""Names under which commands would hide: pages use `sh` and `console`, and every block has a name."""

_TOKEN = re.compile(
    r"^ *(?P<ticks>`{3,})(?P<language>[\w-]*) *\n(?P<text>.*?)^ *(?P=ticks) *$"
    r"|^ *<!--(?P<mark>.*?)-->"
    r"|^(?P<prose>[^\n]*\S[^\n]*)$",
    re.MULTILINE | re.DOTALL,
)
_SERVER = re.compile(r"(?:\w+=\S* )*(?:(?:\S*/)?accord (?:serve|demo)|make run)\b(?!.*--help)")
_NAMED = re.compile(r"# ([\w./-]+\.\w+)\n")
_NOT_RUN = re.compile(r"not run(?: \((?P<commands>.+?)\))?: (?P<reason>.*\S)", re.DOTALL)
_EXITS = re.compile(r"exits with (\d+)")
_VARIES = re.compile(r"varies: (.*\S)", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_OPENS = re.compile(r"\s*(?:for|while|until|if)\s|.*[\s(]\{$|\s*\($")
_CLOSES = re.compile(r"\s*(?:done|fi|\}|\))(?:\s|$)|.*;\s*(?:done|fi)$")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; `marks` are the comments above it, and it `adjoins` the block before when no prose is between."""

    language: str
    text: str
    line: int
    marks: tuple[str, ...] = ()
    adjoins: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """What a page says that a command prints; the values of members that `varies` names are not compared."""

    language: str
    text: str
    varies: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class Command:
    """A command, the status that it must exit with, and what it must print."""

    text: str
    line: int
    status: int = 0
    prints: list[Printed] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A command that runs on, until the next one or the end of the page."""

    text: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file that the reader writes; unless it is `whole`, its keys go into the file that is there."""

    path: str
    text: str
    line: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRun:
    """A command that is not run, and why."""

    text: str
    line: int
    reason: str


Step: TypeAlias = Command | Server | File | NotRun


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, from top to bottom."""
    marks: list[str] = []
    adjoins = False
    for token in _TOKEN.finditer(page):
        if token["prose"] is not None:
            marks, adjoins = [], False
        elif token["mark"] is not None:
            marks.append(" ".join(token["mark"].split()))
        else:
            line = page.count("\n", 0, token.start()) + 1
            text = textwrap.dedent(token["text"])
            yield Block(language=token["language"], text=text, line=line, marks=tuple(marks), adjoins=adjoins)
            marks, adjoins = [], True


def steps(page: str) -> list[Step]:
    """Return what the reader of a page does, in order; `ValueError` for a block whose language hides commands."""
    found: list[Step] = []
    is_output = False
    for block in blocks(page):
        is_output = block.adjoins and is_output and block.language in PRINTED
        if block.language in NOT_ALLOWED:
            raise ValueError(f"line {block.line}: name the block `sh`, `console`, `text` …, not `{block.language}`")
        if block.language == "sh":
            found += _commands(block, split(block.text))
            is_output = True
        elif block.language == "console":
            found += _session(block)
        elif (named := _NAMED.match(block.text)) is not None:
            found.append(_file(block, named[1]))
        elif is_output and isinstance(found[-1], Command):
            found[-1].prints.append(_printed(block))
    return found


def split(text: str) -> list[tuple[int, str]]:
    """Return the commands of a script with the number of each one's first line, from 0; comments alone are none."""
    found: list[tuple[int, str]] = []
    begun: list[str] = []
    for number, line in enumerate(text.splitlines()):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begun.append(line)
        if _is_whole(begun):
            found.append((number - len(begun) + 1, "\n".join(begun)))
            begun = []
    if begun:
        raise ValueError(f"a command that does not end: {begun[0]}")
    return found


def expressions(text: str) -> list[str]:
    """Return the PromQL expressions of a block: one a line, and an indented line goes on with the one before."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and found:
            found[-1] += "\n" + line
        elif line.strip() and not line.startswith("#"):
            found.append(line)
    return found


def _marked(pattern: re.Pattern[str], block: Block) -> re.Match[str] | None:
    return next((match for mark in block.marks if (match := pattern.fullmatch(mark))), None)


def _is_whole(lines: list[str]) -> bool:
    """Say whether a command ends here: no quote, no here-document, no loop and no line is still open."""
    text = "\n".join(lines)
    heredoc = _HEREDOC.search(lines[0])
    if heredoc is not None:
        return lines[-1].strip() == heredoc[2]
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    bare = [_COMMENT.sub("", line).rstrip() for line in lines]
    opened = sum(bool(_OPENS.match(line)) for line in bare) - sum(bool(_CLOSES.match(line)) for line in bare)
    return opened <= 0 and not bare[-1].endswith(("\\", "|", "&&"))


def _printed(block: Block) -> Printed:
    varies = _marked(_VARIES, block)
    names = varies[1].replace(",", " ").split() if varies is not None else ()
    return Printed(language=block.language, text=block.text, varies=frozenset(names))


def _commands(block: Block, found: list[tuple[int, str]]) -> Iterator[Step]:
    """Yield the steps of a block's commands; the status that a mark names is that of the last."""
    exits = _marked(_EXITS, block)
    for at, text in found:
        line = block.line + 1 + at
        if (reason := _reason(block, text)) is not None:
            yield NotRun(text=text, line=line, reason=reason)
        elif _SERVER.match(text):
            yield Server(text=text, line=line)
        else:
            is_last = (at, text) == found[-1]
            yield Command(text=text, line=line, status=int(exits[1]) if exits is not None and is_last else 0)


def _reason(block: Block, command: str) -> str | None:
    """Return why a command is not run; a mark without parentheses speaks of the whole block."""
    for mark in block.marks:
        match = _NOT_RUN.fullmatch(mark)
        if match is not None and command.startswith(match["commands"] or ""):
            return match["reason"]
    return None


def _session(block: Block) -> list[Step]:
    """Return the steps of a terminal's record: after `$ ` a command, with `> ` it goes on, and the rest was printed."""
    found: list[Step] = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while output.startswith("> "):
            more, _, output = output[2:].partition("\n")
            command += "\n" + more
        at = block.text[: block.text.index(part)].count("\n")
        found += _commands(block, [(at, command)])
        if output.strip() and isinstance(last := found[-1], Command):
            last.prints.append(Printed(language="text", text=output))
    return found


def _file(block: Block, path: str) -> File:
    """Return the file that a block shows; only configuration is ever shown in part."""
    is_configuration = block.language == "yaml" and path.startswith("config/")
    is_part = is_configuration and re.search(r"^version:", block.text, re.MULTILINE) is None
    return File(path=path, text=block.text, line=block.line, whole=not is_part)
