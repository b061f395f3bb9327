"""Files to configuration: all or nothing, with every fault of every file at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gateway.config import presets
from gateway.config.load import Configuration, kind_of, load, load_dialect, load_upstream
from gateway.errors import ConfigError
from gateway.model import TAKEN_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Write = Callable[[Mapping[str, str]], Path]

GATEWAY = "version: 1\n"
NEAR = "did you mean salla?"


def _upstream(name: str, more: str = "") -> str:
    return f"version: 1\nname: {name}\nbase_url: https://{name}.example\nmatch: {{prefix: /{name}}}\n{more}"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into a folder and return the gateway's."""

    def run(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
        return tmp_path / "gateway.yaml"

    return run


def _load(write: Write, files: Mapping[str, str]) -> Configuration:
    return load(write(files))


def _faults(write: Write, files: Mapping[str, str]) -> list[str]:
    file = write(files)
    with pytest.raises(ConfigError) as caught:
        load(file)
    return [line.removeprefix(f"{file.parent}/") for line in str(caught.value).splitlines()]


def test_a_gateway_and_its_upstreams(write: Write) -> None:
    """The upstream files that the gateway's file names are read in the order of their names, each once."""
    configuration = _load(
        write,
        {
            "gateway.yaml": GATEWAY + "upstreams: [shops/*.yaml, shops/b*, banks/one.yaml]\n",
            "shops/b.yaml": _upstream("beta", "dialect: salla\n"),
            "shops/a.yaml": _upstream("alpha"),
            "shops/notes.txt": "not YAML: [",
            "shops/c.yaml/d.txt": "a folder is no file",
            "banks/one.yaml": _upstream("one", "dialect: {extends: [oauth2], codes: {E1: conflict}}\n"),
            "banks/two.yaml": "not read: [",
        },
    )
    assert [upstream.settings.name for upstream in configuration.upstreams] == ["one", "alpha", "beta"]
    assert [upstream.dialect.name for upstream in configuration.upstreams] == ["one", "auto", "salla"]
    assert configuration.upstreams[2].dialect is presets.preset("salla")
    assert configuration.environment == ()


def test_a_configuration_can_be_loaded_again_without_its_files(write: Write) -> None:
    """From what they said: whatever stands in them by now, the same upstreams in the same order come out."""
    file = write(
        {"gateway.yaml": GATEWAY, "upstreams/b.yaml": _upstream("beta"), "upstreams/a.yaml": _upstream("alpha")}
    )
    before = load(file)
    write(
        {"gateway.yaml": "rubbish: [", "upstreams/a.yaml": _upstream("changed"), "upstreams/c.yaml": _upstream("new")}
    )
    after = load(file, before.texts)
    assert after.gateway == before.gateway
    assert [one.settings for one in after.upstreams] == [one.settings for one in before.upstreams]
    assert [one.settings.name for one in after.upstreams] == ["alpha", "beta"]
    assert after.texts == before.texts


def test_a_dialect_may_have_a_name_of_its_own(write: Write) -> None:
    """An upstream's own dialect is named after the upstream, unless it says otherwise."""
    own = _upstream("parts", "dialect: {name: warehouse, success: unify}\n")
    [upstream] = _load(write, {"gateway.yaml": GATEWAY, "upstreams/a.yaml": own}).upstreams
    assert upstream.dialect.name == "warehouse"
    assert upstream.dialect.success is not None
    assert upstream.dialect.success.dialect == "warehouse"


def test_every_fault_of_every_file_at_once(write: Write) -> None:
    """Nothing is served of a configuration with a fault anywhere, and all its faults are told in one run."""
    files = {
        "gateway.yaml": "version: 2\nlisten: here\nlimits:\n  - {name: a, requests: 1, per: 1s}\n",
        "upstreams/a.yaml": _upstream("alpha", "timeouts: {connect: 5}\ndialect: sala\n"),
        "upstreams/b.yaml": _upstream("beta").replace("/beta", "/-/beta") + "pol: {}\n",
        "upstreams/c.yaml": "a: [",
        "upstreams/d.yaml": "~",
        "upstreams/e.yaml": _upstream("epsilon"),
    }
    assert _faults(write, files) == [
        "gateway.yaml:1:1 version: must be 1",
        "gateway.yaml:2:1 listen: not an address: write host:port, as in 0.0.0.0:8080 or [::]:8080",
        "upstreams/a.yaml:5:12 timeouts.connect: a duration needs a unit: ms, s, m, h or d, as in 500ms or 2s",
        f"upstreams/a.yaml:6:1 dialect: there is no such preset ({NEAR})",
        "upstreams/b.yaml:4:9 match.prefix: /-/ is kept for the gateway's own pages",
        "upstreams/b.yaml:5:1 pol: this key is not known (did you mean pool?)",
        "upstreams/c.yaml:1:5: not YAML: did not find expected node content",
        "upstreams/d.yaml:1:1: must be a mapping of keys to values",
    ]


@pytest.mark.parametrize("text", ["a: [", "version: 1\nupstreams: [7]\n", "- 1", "version: 1\nupstreams: []"])
def test_a_gateway_file_that_is_wrong_does_not_hide_its_upstreams(write: Write, text: str) -> None:
    """Where it cannot be told which upstream files are meant, those of the default place are checked."""
    faults = _faults(write, {"gateway.yaml": text, "upstreams/a.yaml": "a: ["})
    assert faults[0].startswith("gateway.yaml")
    assert faults[-1] == "upstreams/a.yaml:1:5: not YAML: did not find expected node content"


def test_a_missing_file(write: Write, tmp_path: Path) -> None:
    """A file that is not there is told by its name, and nothing is made up about what it should say."""
    assert _faults(write, {}) == ["gateway.yaml: cannot be read: No such file or directory"]
    (tmp_path / "gateway.yaml").mkdir()
    assert _faults(write, {}) == ["gateway.yaml: cannot be read: Is a directory"]


def test_a_file_that_is_not_text(write: Write, tmp_path: Path) -> None:
    """Configuration is UTF-8."""
    file = write({"gateway.yaml": GATEWAY})
    (tmp_path / "upstreams").mkdir()
    (tmp_path / "upstreams" / "a.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert str(caught.value) == f"{tmp_path}/upstreams/a.yaml: is not UTF-8 text"


@pytest.mark.parametrize(
    ("upstreams", "faults"),
    [
        ("", ["gateway.yaml:1:1: no upstream file matches (looked for upstreams/*.yaml)"]),
        ("upstreams: shops/*.yaml", ["gateway.yaml:2:1 upstreams: no upstream file matches (looked for shops/*.yaml)"]),
        (
            "upstreams: [banks/*.yaml, shops/a.yaml]",
            ["gateway.yaml:2:27 upstreams[1]: no upstream file matches (looked for shops/a.yaml)"],
        ),
        ("upstreams: /srv/*.yaml", ["gateway.yaml:2:1 upstreams: not a pattern relative to this file's folder"]),
        (
            "upstreams: [banks/*, " + "9" * 400 + "]",
            ["gateway.yaml:2:22 upstreams[1]: not a pattern relative to this file's folder"],
        ),
        ("upstreams: ['', banks/*]", ["gateway.yaml:2:13 upstreams[0]: not a pattern relative to this file's folder"]),
        ("upstreams: [banks/*, '.']", ["gateway.yaml:2:22 upstreams[1]: not a pattern relative to this file's folder"]),
    ],
)
def test_every_pattern_must_match(write: Write, upstreams: str, faults: list[str]) -> None:
    """A file that is named and not there would be an upstream that is silently not served."""
    assert _faults(write, {"gateway.yaml": GATEWAY + upstreams, "banks/a.yaml": _upstream("a")}) == faults


@pytest.mark.parametrize(
    ("prefix", "reserved"),
    [("/-", True), ("/-/", True), ("/-/problems", True), ("/-a", False), ("/a/-", False), ("/", False)],
)
def test_the_prefix_of_our_own_pages_is_reserved(write: Write, prefix: str, *, reserved: bool) -> None:
    """Below `/-/` the gateway answers itself."""
    text = _upstream("a").replace("prefix: /a", f"prefix: {prefix}")
    files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": text}
    if reserved:
        assert _faults(write, files) == ["upstreams/a.yaml:4:9 match.prefix: /-/ is kept for the gateway's own pages"]
    else:
        assert len(_load(write, files).upstreams) == 1


@pytest.mark.parametrize(
    ("dialect", "faults"),
    [
        ("sala", [f"5:1 dialect: there is no such preset ({NEAR})"]),
        ("{extends: sala}", [f"5:11 dialect.extends: there is no such preset ({NEAR})"]),
        (
            "{extends: [salla, auto, sala]}",
            [
                "5:28 dialect.extends[1]: there is no such preset (auto can be chosen, not extended)",
                f"5:34 dialect.extends[2]: there is no such preset ({NEAR})",
            ],
        ),
    ],
)
def test_presets_must_exist(write: Write, dialect: str, faults: list[str]) -> None:
    """A name that is no preset is told with those that are; `auto` can be chosen, not extended."""
    files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a", f"dialect: {dialect}\n")}
    assert _faults(write, files) == [f"upstreams/a.yaml:{fault}" for fault in faults]


def test_names_are_unique(write: Write) -> None:
    """Upstreams, the limits of one list, and clients are told apart by name."""
    limits = "limits:\n  - {name: one, requests: 1, per: 1s}\n  - {name: one, requests: 2, per: 1s}\n"
    indented = limits.replace("\n", "\n    ").strip()
    key = "0" * 64
    client = f"  - {{name: web, api_key_sha256: [{key}]}}\n"
    clients = f"clients:\n{client}{client}  - name: app\n"
    files = {
        "gateway.yaml": f"{GATEWAY}{limits}{clients}    api_key_sha256: [{key}]\n    {indented}\n",
        "upstreams/a.yaml": _upstream("same", limits),
        "upstreams/b.yaml": _upstream("same", f"routes:\n  - match: {{path: /a}}\n    {indented}\n"),
        "upstreams/c.yaml": _upstream("same"),
    }
    faults = _faults(write, files)
    first = str(write({}).parent / "upstreams/a.yaml")
    assert faults == [
        "gateway.yaml:4:6 limits[1].name: this name is given twice",
        "gateway.yaml:7:6 clients[1].name: this name is given twice",
        "gateway.yaml:12:10 clients[2].limits[1].name: this name is given twice",
        "upstreams/a.yaml:7:6 limits[1].name: this name is given twice",
        f"upstreams/b.yaml:2:1 name: another upstream has this name (see {first})",
        "upstreams/b.yaml:9:10 routes[0].limits[1].name: this name is given twice",
        f"upstreams/c.yaml:2:1 name: another upstream has this name (see {first})",
    ]


@pytest.mark.parametrize("name", sorted(TAKEN_NAMES))
def test_words_of_metrics_are_no_names(write: Write, name: str) -> None:
    """An upstream is not called as metrics call what has no upstream, nor is a dialect of its own."""
    files = {
        "gateway.yaml": GATEWAY,
        "upstreams/a.yaml": _upstream(name),
        "upstreams/b.yaml": _upstream("b", f"dialect:\n  name: {name}\n"),
    }
    said = "none and other are words that metrics have for what has no name: take another one"
    assert _faults(write, files) == [f"upstreams/a.yaml:2:1 name: {said}", f"upstreams/b.yaml:6:3 dialect.name: {said}"]


def test_the_same_name_in_two_lists(write: Write) -> None:
    """A limit's name counts inside its own list."""
    limits = "limits: [{name: one, requests: 1, per: 1s}]\n"
    files = {"gateway.yaml": GATEWAY + limits, "upstreams/a.yaml": _upstream("a", limits)}
    assert _load(write, files).gateway.limits == _load(write, files).upstreams[0].settings.limits


CREDENTIALS = """\
credentials:
  inject:
    - {header: X-Parts-Token, prefix: "Bearer ", value_env: PARTS_TOKEN}
    - basic: {user_env: PARTS_USER, password_env: PARTS_PASSWORD}
examples:
  - {name: a, reply: {status: 200, json: {token_env: NOT_ONE}}, expect: pass}
request: {headers: {set: {X_env: NOT_ONE_EITHER}}}
"""


LINE = "holds a control character, such as a line's end, which no header field may hold"
TOKEN = "7:50 credentials.inject[0].value_env"
USER = "8:15 credentials.inject[1].basic.user_env"
PASSWORD = "8:37 credentials.inject[1].basic.password_env"


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, {TOKEN: "is not set", USER: "is not set", PASSWORD: "is not set"}),
        ({"PARTS_TOKEN": "hunter2", "PARTS_USER": ""}, {USER: "is not set", PASSWORD: "is not set"}),
        ({"PARTS_TOKEN": "hunter2", "PARTS_USER": "u", "PARTS_PASSWORD": "hunter2:é"}, {}),
        ({"PARTS_TOKEN": "hunter2\n", "PARTS_USER": "u", "PARTS_PASSWORD": "hunter2\0"}, {TOKEN: LINE, PASSWORD: LINE}),
        ({"PARTS_TOKEN": "hunter2\udcff", "PARTS_USER": "u", "PARTS_PASSWORD": "p"}, {TOKEN: "is not UTF-8 text"}),
        (
            {"PARTS_TOKEN": "t", "PARTS_USER": "u:hunter2", "PARTS_PASSWORD": "p"},
            {USER: "holds a colon, which would end the user's name"},
        ),
    ],
    ids=["none", "one and an empty one", "all", "control characters", "not text", "two users' names"],
)
def test_variables_that_cannot_be_used(write: Write, environ: dict[str, str], told: dict[str, str]) -> None:
    """Each `*_env` key under credentials names a variable; the variable is told at the key, its value never."""
    configuration = _load(write, {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a", CREDENTIALS)})
    faults = configuration.environment_faults(environ)
    assert {f"{fault.line}:{fault.column} {fault.path}": fault.message.split(" ", 4)[-1] for fault in faults} == told
    assert all(fault.message.startswith("the environment variable PARTS_") for fault in faults)
    assert "hunter2" not in repr(configuration) + "".join(map(str, faults))


TWICE = "this is set or injected twice: servers would disagree on which counts"


SET = "request: {headers: {set: {x-key: a}}}\n"
KEY = "{header: X-Key, value_env: A}"
OTHER = "{header: x_key, value_env: B}"
BEARER = "{header: Authorization, value_env: A}"
BASIC = "{basic: {user_env: A, password_env: B}}"
QUERY = "{query: X-Key, value_env: A}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("request: {headers: {set: {X-A: a, x_a: b}}}", "5:35 request.headers.set.x_a"),
        (f"{SET}credentials: {{inject: [{KEY}]}}", "6:25 credentials.inject[0].header"),
        (f"credentials: {{inject: [{KEY}, {OTHER}]}}", "5:56 credentials.inject[1].header"),
        (f"credentials: {{inject: [{QUERY}, {QUERY}]}}", "5:55 credentials.inject[1].query"),
        (f"credentials: {{inject: [{BEARER}, {BASIC}]}}", "5:64 credentials.inject[1].basic"),
        (f"credentials: {{inject: [{KEY}, {QUERY}, {BASIC}]}}", None),
    ],
)
def test_nothing_is_sent_twice(write: Write, text: str, place: str | None) -> None:
    """One field has one value of ours, however its name is spelled."""
    files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a", text)}
    if place is None:
        assert len(_load(write, files).upstreams) == 1
    else:
        assert _faults(write, files) == [f"upstreams/a.yaml:{place}: {TWICE}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("listen: a:80\nadmin: a:80", "3:1 admin"),
        ("listen: 0.0.0.0:80\nadmin: 127.0.0.1:80", "3:1 admin"),
        ("listen: localhost:8081", "2:1 listen"),
        ("listen: a:0\nadmin: a:0", None),
        ("listen: a:80\nadmin: a:81", None),
        ("listen: 10.0.0.1:80\nadmin: 10.0.0.2:80", None),
    ],
)
def test_clients_and_operators_come_in_apart(write: Write, text: str, place: str | None) -> None:
    """Two servers cannot have one address."""
    files = {"gateway.yaml": GATEWAY + text, "upstreams/a.yaml": _upstream("a")}
    if place is None:
        assert len(_load(write, files).upstreams) == 1
    else:
        message = "clients and operators cannot come in at one address: give listen and admin different ports"
        assert _faults(write, files) == [f"gateway.yaml:{place}: {message}"]


@pytest.mark.parametrize("tls", ["{}", "{ca_file: a.pem}"])
def test_there_is_no_tls_with_http(write: Write, tls: str) -> None:
    """Settings that say how to be safe must not stand where nothing is."""
    https = _upstream("a", f"tls: {tls}\n")
    assert _load(write, {"gateway.yaml": GATEWAY, "upstreams/a.yaml": https}).upstreams[0].settings.tls is not None
    faults = _faults(write, {"gateway.yaml": GATEWAY, "upstreams/a.yaml": https.replace("https:", "http:")})
    assert faults == ["upstreams/a.yaml:5:1 tls: there is no TLS with http: write https in base_url"]


def test_the_path_of_a_socket_has_an_end(write: Write, tmp_path: Path) -> None:
    """What the kernel takes is counted in bytes, and with the folder where the path begins."""
    room = 107 - len(bytes(tmp_path / "upstreams" / "x"))
    for name in ("é" * (room // 2) + "x" * (room % 2 + 1), "/" + "x" * 106):
        files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a", f"socket: {name}\n")}
        [upstream] = _load(write, files).upstreams
        assert upstream.settings.socket == name
        assert len(bytes(upstream.document.beside(name))) == 107
        files["upstreams/a.yaml"] = _upstream("a", f"socket: {name}x\n")
        message = "the path of a socket has at most 107 bytes, the folder of this file included"
        assert _faults(write, files) == [f"upstreams/a.yaml:5:1 socket: {message}"]


@pytest.mark.parametrize("accept", ["é", '"a\\nb"', '"\\x7f"'])
def test_accept_must_be_a_field_value(write: Write, accept: str) -> None:
    """It goes upstream as it stands."""
    files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a", f"dialect: {{accept: {accept}}}")}
    message = "must be in ASCII and without control characters"
    assert _faults(write, files) == [f"upstreams/a.yaml:5:11 dialect.accept: {message}"]


def test_an_upstream_by_itself(write: Write) -> None:
    """One upstream's file can be read without a gateway's."""
    folder = write({"a.yaml": _upstream("alpha", "dialect: salla\n")}).parent
    upstream = load_upstream(folder / "a.yaml")
    assert (upstream.settings.name, upstream.dialect.name) == ("alpha", "salla")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (_upstream("alpha", "dialect: sala\n"), "a.yaml:5:1 dialect: there is no such preset"),
        (
            _upstream("alpha", "limits: [{name: a, requests: 1, per: 1s}, {name: a, requests: 1, per: 1s}]\n"),
            "a.yaml:5:44 limits[1].name: this name is given twice",
        ),
    ],
)
def test_an_upstream_by_itself_that_is_wrong(text: str, told: str, write: Write) -> None:
    """Its faults are those that it would have in a configuration."""
    folder = write({"a.yaml": text}).parent
    with pytest.raises(ConfigError) as caught:
        load_upstream(folder / "a.yaml")
    assert str(caught.value).removeprefix(f"{folder}/").startswith(told)


def test_a_dialect_by_itself(write: Write) -> None:
    """A dialect can be read as presets are."""
    folder = write({"a.yaml": "extends: [salla]\ncodes: {E1: gone}\n"}).parent
    assert load_dialect(folder / "a.yaml").codes == {"E1": "gone"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("codes: {E1: gon}\n", "a.yaml:1:9 codes.E1: this is not a code of the catalogue (did you mean gone?)"),
        ("extends: [salla, sala]\n", f"a.yaml:1:18 extends[1]: there is no such preset ({NEAR})"),
    ],
)
def test_a_dialect_by_itself_that_is_wrong(text: str, told: str, write: Write) -> None:
    """Its faults have their places, and what it extends must exist."""
    folder = write({"a.yaml": text}).parent
    with pytest.raises(ConfigError) as caught:
        load_dialect(folder / "a.yaml")
    assert str(caught.value).removeprefix(f"{folder}/") == told


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (_upstream("alpha", "dialect: salla\n"), "upstream"),
        ("name: a\ncodes: {E1: gone}\n", "dialect"),
        ("version: 1\n", "gateway"),
        ("- 1\n", "gateway"),
    ],
)
def test_what_a_file_is(text: str, kind: str, write: Write) -> None:
    """Its keys tell which of the files it is."""
    assert kind_of(write({"a.yaml": text}).parent / "a.yaml") == kind


def test_an_upstream_whose_file_says_the_same_is_the_same_value(write: Write) -> None:
    """A reload compiles what is another by now, and nothing else."""
    path = write({"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a"), "upstreams/b.yaml": _upstream("b")})
    known = load(path)
    write({"upstreams/b.yaml": _upstream("b", "mode: shadow\n")})
    again = load(path, known=known)
    assert again.upstreams[0] is known.upstreams[0]
    assert again.upstreams[1].settings.mode == "shadow"
    texts = load(path, again.texts, again)
    assert all(one is other for one, other in zip(texts.upstreams, again.upstreams, strict=True))
    write({"upstreams/b.yaml": _upstream("a")})
    with pytest.raises(ConfigError, match="another upstream has this name"):
        load(path, known=known)


def test_the_digest_is_of_what_the_files_say(write: Write, tmp_path: Path) -> None:
    """Wherever they lie; a file's name and each character count."""
    files = {"gateway.yaml": GATEWAY, "upstreams/a.yaml": _upstream("a")}
    one = load(write(files)).digest
    assert len(one) == 16
    assert (
        load(
            write({f"elsewhere/{name}": text for name, text in files.items()}).parent / "elsewhere/gateway.yaml"
        ).digest
        == one
    )
    others = {load(write({"upstreams/a.yaml": _upstream("a", "# note\n")})).digest}
    (tmp_path / "upstreams/a.yaml").rename(tmp_path / "upstreams/b.yaml")
    others.add(load(write({"upstreams/b.yaml": _upstream("a")})).digest)
    assert len(others | {one}) == 3
