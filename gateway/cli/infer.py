"""`accord infer`: captured replies in, a tested upstream file out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from gateway.pipeline.captures import MOST_BYTES, CaptureError, captures_in
from gateway.pipeline.suggest import OWN_NAME
from gateway.pipeline.suggest.anonymous import masked_text
from gateway.pipeline.suggest.file import Facts, infer

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from gateway.pipeline.captures import Capture
    from gateway.pipeline.suggest.file import Inferred

HELP: Final = "write an upstream file from captured replies"
ABOUT: Final = """\
Read captured replies of an API, successes and errors, and write its upstream file: the preset
that reads them, or rules of its own, with each distinct reply as an example that is its test.
Secrets and personal data in the examples are replaced. Nothing is sent anywhere.
"""
EXAMPLES: Final = """\
examples:
  accord infer captured/* --name parts --base-url https://api.parts.example/v1 > config/upstreams/parts.yaml
  accord infer captured/ --output config/upstreams/parts.yaml        never overwrites without --force
  curl -si https://api.parts.example/orders/9 | accord infer -

a FILE is one of:
  409.json, 422-create-order.json, 503.html     a body, with its status in the name
  anything.http                                 whole replies, as `curl -si` prints them; several in one file are fine
  session.har                                   what a browser or a proxy recorded
  replies.jsonl                                 a reply a line, as `accord try --jsonl` takes them

exit status: 0 when a file was written and its examples pass, 1 when not.
"""
_PLACEHOLDER: Final = "https://api.example.com"
_SHOWN: Final = 60


class _UsageError(Exception):
    """An input or an option that cannot be used; its text is told to the person who wrote it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this command takes."""
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="captured replies, or folders of them; - is standard input"
    )
    parser.add_argument(
        "--name", help="the upstream's name; by default that of the output file, else of the API's host"
    )
    parser.add_argument("--base-url", metavar="URL", help="where the API is; a HAR file tells it")
    parser.add_argument("--prefix", metavar="PATH", help="the paths that are the upstream's; by default /NAME")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to write; by default standard output")
    parser.add_argument("--force", action="store_true", help="overwrite the output file")
    parser.add_argument("--own", action="store_true", help="write rules, even where a preset or `generic` needs none")
    parser.add_argument("--json", action="store_true", help="write the file and what is known of it as JSON")


def run(args: argparse.Namespace) -> int:
    """Read the captures, write the file and the report, and return the exit status."""
    try:
        captures = [one for file in args.files for one in _captures(file)]
        _check(args, captures)
        inferred = infer(captures, _facts(args, captures), use_presets=not args.own, always_own=args.own)
        _write(args, inferred)
    except _UsageError as error:
        sys.stderr.write(f"accord infer: {error}\n")
        return 1
    return 1 if inferred.faults else 0


def _check(args: argparse.Namespace, captures: Sequence[Capture]) -> None:
    if not captures:
        message = "there are no replies in what was named"
        raise _UsageError(message)
    if args.output is not None and args.output.exists() and not args.force:
        message = f"{args.output} is there already: --force overwrites it"
        raise _UsageError(message)


def _captures(file: str) -> list[Capture]:
    if file == "-":
        return _read("standard input", sys.stdin.buffer.read(MOST_BYTES + 1))
    path = Path(file)
    try:
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
            return [capture for one in inside for capture in _captures(str(one))]
        with path.open("rb") as opened:
            return _read(file, opened.read(MOST_BYTES + 1))
    except OSError as error:
        message = f"{file}: {error.strerror}"
        raise _UsageError(message) from error


def _read(file: str, data: bytes) -> list[Capture]:
    try:
        return captures_in(file, data)
    except CaptureError as error:
        message = f"{file} {error}"
        raise _UsageError(message) from error


def _facts(args: argparse.Namespace, captures: Sequence[Capture]) -> Facts:
    """Return what the options say of the API, and what a HAR file tells where they do not."""
    try:
        url = args.base_url or next((_origin(one.url) for one in captures if one.url), None)
        host = urlsplit(url).hostname if url else None
    except ValueError as error:  # an IPv6 address without its end
        message = f"the API's address is none such as {_PLACEHOLDER}: {error}"
        raise _UsageError(message) from error
    name = args.name or (args.output.stem if args.output is not None else _spoken(host))
    return Facts(name=name, base_url=url or _PLACEHOLDER, prefix=args.prefix or f"/{name}", guessed=url is None)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _spoken(host: str | None) -> str:
    """Return the telling part of a host's name: `parts` of `api.parts.example`."""
    labels = [label for label in (host or "").split(".")[:-1] if label not in ("api", "www", "")]
    return labels[-1] if labels else "api"


def _write(args: argparse.Namespace, inferred: Inferred) -> None:
    text = (
        msgspec.json.format(msgspec.json.encode(_as_json(inferred)), indent=2).decode() if args.json else inferred.text
    )
    if args.output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
    else:
        try:
            args.output.parent.mkdir(parents=True, exist_ok=True)
            args.output.write_text(inferred.text, encoding="utf-8")
        except OSError as error:
            message = f"{args.output}: {error.strerror}"
            raise _UsageError(message) from error
        if args.json:
            sys.stdout.write(text + "\n")
    if not args.json:
        sys.stderr.write("".join(f"{line}\n" for line in _report(inferred, args.output)))


def _as_json(inferred: Inferred) -> dict[str, Any]:
    suggestion = inferred.suggestion
    return {
        "dialect": suggestion.dialect,
        "replies": [
            {"name": name} | msgspec.structs.asdict(reading) | {"detail": _safe(reading.detail)}
            for name, reading in zip(inferred.names, suggestion.readings, strict=True)
        ],
        "open_codes": {code: guess for code, (guess, _) in suggestion.open_codes.items()},
        "unsure": suggestion.unsure,
        "faults": [str(fault) for fault in inferred.faults],
        "file": inferred.text,
    }


def _report(inferred: Inferred, output: Path | None) -> Iterable[str]:
    """Say which dialect reads which reply, and what is uncertain."""
    suggestion = inferred.suggestion
    for name, reading in zip(inferred.names, suggestion.readings, strict=True):
        by = {OWN_NAME: "own rules", None: "its status alone"}.get(reading.dialect, reading.dialect)
        told = f"{reading.code}, read by {by}: {_cut(_safe(reading.detail))}" if reading.is_error else "a success"
        yield f"{_cut(name)}: {told}"
    for doubt in suggestion.unsure:
        yield f"uncertain: {doubt}"
    for code, (guess, why) in suggestion.open_codes.items():
        yield f"uncertain: code {code}: {guess}? ({why})"
    yield from (f"fault: {fault}" for fault in inferred.faults)
    passed = "all pass" if not inferred.faults else f"{len(inferred.faults)} faults"
    yield f"{output or 'the file'}: {inferred.examples} examples, {passed}"


def _safe(text: str | None) -> str | None:
    """Return what an upstream said without ids and secrets: a report ends up in a ticket."""
    return masked_text(text) if text is not None else None


def _cut(text: str | None) -> str:
    if text is None:
        return "(no message)"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
