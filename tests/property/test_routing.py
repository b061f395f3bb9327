"""Any path at all: what is forwarded goes as it came, stays in its place, and is routed as every reading would be."""

from __future__ import annotations

from posixpath import normpath
from urllib.parse import unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.models import UpstreamFile
from gateway.headers import Refusal
from gateway.pipeline.matches import Match, Matched
from gateway.pipeline.routing import Router
from gateway.pipeline.targets import read_target

HOST = b"gateway.example"
PREFIXES = ("/shop", "/shop/admin", "/open")


def _upstream(prefix: str) -> UpstreamFile:
    routes = [{"match": {"path": "/orders/*"}}, {"match": {"path": "/hooks/**"}}]
    document = {"version": 1, "name": prefix.strip("/").replace("/", "-"), "base_url": "https://api.example/v2"}
    return UpstreamFile.model_validate(document | {"match": {"prefix": prefix}, "routes": routes})


ROUTER = Router([_upstream(prefix) for prefix in PREFIXES])

SEPARATORS = [b"/", b"/", b"//", b"\\", b"%2f", b"%5C", b"%252f", b";", b"%3b", b"%00", b"%", b"?", b"=&"]
WORDS = [
    b"..",
    b".",
    b"%2e",
    b"%2E%2e",
    b"%252e",
    b"shop",
    b"admin",
    b"open",
    b"orders",
    b"hooks",
    b"x",
    b"%61dmin",
    b"\xd9\x85",
]

pieces = st.sampled_from([*SEPARATORS, *WORDS])
paths = st.lists(pieces, max_size=12).map(lambda parts: b"/" + b"".join(parts))
targets = st.one_of(paths, st.binary(max_size=40).map(lambda tail: b"/" + tail))


def way(answer: Match) -> tuple[int, int] | None:
    """Return what tells two ways apart."""
    return (answer.upstream, id(answer.route)) if isinstance(answer, Matched) else None


@given(targets)
@example(b"/open/x/../../open/y")
def test_byte_for_byte(raw: bytes) -> None:
    """A target that is forwarded begins with the base path and ends with exactly what stood behind the prefix."""
    answer = ROUTER.match(HOST, "GET", raw)
    if isinstance(answer, Matched):
        depth = PREFIXES[answer.upstream].count("/")
        path, mark, query = raw.partition(b"?")
        rest = b"".join(b"/" + segment for segment in path.split(b"/")[1 + depth :])
        assert answer.target == b"/v2" + rest + mark + query


@given(paths)
@example(b"/open/..%5c../shop")
@example(b"/open/%252e%252e/x")
@example(b"/open/a%2fb/../..")
def test_no_way_out(raw: bytes) -> None:
    """However often a server decodes and whatever it takes for a slash, dots never lead out of the base path."""
    answer = ROUTER.match(HOST, "GET", raw)
    if not isinstance(answer, Matched):
        return
    sent = answer.target.partition(b"?")[0]
    for decode in (0, 1, 2):
        for slashes in (b"/", b"\\"):
            for parameters in (False, True):
                read = sent
                for _ in range(decode):
                    read = unquote_to_bytes(read)
                segments = read.replace(slashes, b"/").split(b"/")
                if parameters:
                    segments = [segment.partition(b";")[0] for segment in segments]
                resolved = normpath(b"/".join(segments)).replace(b"//", b"/", 1)
                assert resolved == b"/v2" or resolved.startswith(b"/v2/")


@given(paths)
def test_readings_agree(raw: bytes) -> None:
    """A path that is forwarded takes the same way when it was decoded, merged and resolved before."""
    answer = ROUTER.match(HOST, "GET", raw)
    if isinstance(answer, Matched):
        path = raw.partition(b"?")[0]
        decoded = unquote_to_bytes(unquote_to_bytes(path)).replace(b"\\", b"/")
        plain = b"/".join(segment.partition(b";")[0] for segment in decoded.split(b"/"))
        resolved = normpath(plain).replace(b"//", b"/", 1).replace(b"?", b"%3F").replace(b"%", b"%25")
        assert way(ROUTER.match(HOST, "GET", resolved)) == way(answer)


@given(st.binary(max_size=60), st.sampled_from(["GET", "OPTIONS", "CONNECT", "TRACE", "BREW"]))
def test_targets_are_total(raw: bytes, method: str) -> None:
    """Every target is read or refused; one that is read can be matched, and is sent as a path."""
    target = read_target(method, raw)
    if isinstance(target, Refusal):
        return
    assert target.path == b"*" or target.path.startswith(b"/")
    answer = ROUTER.match(HOST, method, target.path)
    assert not isinstance(answer, Matched) or answer.target.startswith(b"/")
