"""What is read out of a page, and how output is held against it: the parts of `documented/` that run nothing."""

from __future__ import annotations

import pytest

from tests.system.documented.files import merged
from tests.system.documented.outputs import difference
from tests.system.documented.pages import Command, File, NotRun, Printed, Server, blocks, expressions, split, steps


def _page(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _command(*lines: str) -> Command:
    (step,) = steps(_page(*lines))
    assert isinstance(step, Command)
    return step


def _differs(language: str, shown: str, printed: str, *varies: str) -> str | None:
    return difference(Printed(language=language, text=shown, varies=frozenset(varies)), printed)


def test_commands_stand_in_blocks() -> None:
    """Each line of a block is a command, with its line in the page; comments and prose are none."""
    found = steps(_page("# Page", "", "Say `rm -r /`.", "", "```sh", "# first", "accord check", "", "ls  # all", "```"))
    assert found == [Command(text="accord check", line=7), Command(text="ls  # all", line=9)]


def test_a_block_in_a_list_is_dedented() -> None:
    """A block that stands under an item of a list is read as if it stood alone."""
    assert steps(_page("1. Do:", "", "   ```sh", "   ls", "   ```")) == [Command(text="ls", line=4)]


@pytest.mark.parametrize(
    "lines",
    [
        ("jq 'a", "b' x"),
        ("curl a \\", "  -d b"),
        ("cat <<'EOF' > x", "it's", "EOF"),
        ("for a in b; do", "  ls $a", "done"),
        ("ls |", "  wc"),
        ("ls &&  # then", "  wc"),
        ("until curl x; do", "  sleep 1; done"),
    ],
)
def test_a_command_may_take_several_lines(lines: tuple[str, ...]) -> None:
    """A command ends where no quote, line, loop or here-document is open."""
    assert split(_page("ls", *lines, "ls")) == [(0, "ls"), (1, "\n".join(lines)), (1 + len(lines), "ls")]


def test_a_word_in_a_comment_opens_nothing() -> None:
    """Only commands are read for what is open."""
    assert split("a  # one for each, if it's so\nb\n") == [(0, "a  # one for each, if it's so"), (1, "b")]


def test_a_command_that_does_not_end() -> None:
    """A quote that is left open is a fault of the page."""
    with pytest.raises(ValueError, match="does not end: echo"):
        split("echo 'a\n")


@pytest.mark.parametrize("fence", ["```", "```bash", "```shell"])
def test_no_block_hides_commands(fence: str) -> None:
    """A block without a name, or with another shell's, is told with its line."""
    with pytest.raises(ValueError, match="line 3"):
        steps(_page("Do", "", fence, "ls", "```"))


def test_a_reason_not_to_run() -> None:
    """A mark above a block keeps it from being run and says why; it may stand a line above, and take several lines."""
    mark = ("<!-- not run: needs", "     a cluster -->", "")
    assert steps(_page(*mark, "```sh", "ls", "```")) == [NotRun(text="ls", line=5, reason="needs a cluster")]


def test_a_reason_for_some_commands() -> None:
    """A mark that names the beginning of a command speaks of that command alone."""
    found = steps(_page("<!-- not run (make test): it is this test -->", "```sh", "ls", "make test", "```"))
    assert found == [Command(text="ls", line=3), NotRun(text="make test", line=4, reason="it is this test")]


@pytest.mark.parametrize("mark", ["<!-- not run -->", "<!-- not run: -->", "<!-- not run (cat): no -->", "<!-- -->"])
def test_a_mark_without_a_reason_counts_for_nothing(mark: str) -> None:
    """What gives no reason, or speaks of another command, is run."""
    assert _command(mark, "```sh", "ls", "```").text == "ls"


def test_a_mark_is_for_its_block_alone() -> None:
    """Prose or a block between a mark and a block parts them."""
    page = _page("<!-- not run: no -->", "Now", "```sh", "ls", "```", "<!-- not run: no -->", "```text", "```")
    assert [type(step) for step in steps(page + "```sh\nls\n```\n")] == [Command, Command]


def test_the_status_of_the_last_command() -> None:
    """`exits with 1` is said of the last command of a block."""
    found = steps(_page("<!-- exits with 1 -->", "```sh", "ls", "accord diff a b", "```"))
    assert [step.status for step in found if isinstance(step, Command)] == [0, 1]


@pytest.mark.parametrize(
    "command",
    [
        "accord serve",
        ".venv/bin/accord serve --processes 2",
        "make run",
        "A=b accord demo",
        "accord serve > accord.log",
    ],
)
def test_servers_run_on(command: str) -> None:
    """A gateway is started and left running, however it is called."""
    assert steps(_page("```sh", command, "```")) == [Server(text=command, line=2)]


@pytest.mark.parametrize("command", ["accord serve --help", "accord check", "make runs", "echo accord serve"])
def test_other_commands_end(command: str) -> None:
    """What only looks like a gateway is waited for."""
    assert _command("```sh", command, "```").text == command


def test_what_follows_at_once_was_printed() -> None:
    """Blocks of output right behind a command are its output; a head and a body are two of them."""
    page = ("```sh", "ls", "curl -i x", "```", "", "```http", "HTTP/1.1 200 OK", "```", "<!-- varies: a, b -->")
    first, last = steps(_page(*page, "```json", "{}", "```"))
    assert isinstance(first, Command)
    assert isinstance(last, Command)
    assert first.prints == []
    head = Printed(language="http", text="HTTP/1.1 200 OK\n")
    assert last.prints == [head, Printed(language="json", text="{}\n", varies=frozenset("ab"))]


def test_what_prose_parts_was_not_printed() -> None:
    """Output that prose parts from a command is an illustration, and so is what follows it."""
    assert _command("```sh", "ls", "```", "Like", "```json", "1", "```", "```json", "2", "```").prints == []


def test_a_record_of_a_terminal() -> None:
    """In `console` blocks a prompt begins a command, `> ` goes on with it, and the rest was printed."""
    found = steps(_page("```console", "$ ls a \\", "> b", "a", "b", "$ true", "```"))
    printed = Printed(language="text", text="a\nb\n")
    assert found == [Command(text="ls a \\\nb", line=2, prints=[printed]), Command(text="true", line=6)]


def test_files_are_written() -> None:
    """A block that begins with the path of a file is that file; configuration without a version is a part of one."""
    page = _page("```yaml", "# config/gateway.yaml", "limits: []", "```", "```yaml", "# compose.yaml", "a: b", "```")
    part, whole = steps(page)
    assert isinstance(part, File)
    assert isinstance(whole, File)
    assert (part.path, part.whole, part.text) == ("config/gateway.yaml", False, "# config/gateway.yaml\nlimits: []\n")
    assert (whole.path, whole.whole) == ("compose.yaml", True)


def test_other_blocks_are_no_steps() -> None:
    """Queries, fragments and pictures are for reading."""
    page = _page("```promql", "up", "```", "```yaml", "a: b", "```", "```mermaid", "```", "~~~", "~~~")
    assert steps(page) == []
    assert [block.language for block in blocks(page)] == ["promql", "yaml", "mermaid"]


def test_queries_of_a_block() -> None:
    """Each line is a query, unless it is indented or a comment."""
    assert expressions("# one\nup\n\nsum(a)\n  / b  # c\n") == ["up", "sum(a)\n  / b  # c"]


def test_shown_keys_replace_those_of_the_file() -> None:
    """A key that is shown stands in place of the file's own; others stay, and new ones come last."""
    there = "# head\nversion: 1\nlimits:\n  - a\nvia: x"
    assert merged(there, "# f.yaml\nlimits: [b]\nstore: memory\n") == (
        "# f.yaml\nversion: 1\nlimits: [b]\nvia: x\nstore: memory\n"
    )


@pytest.mark.parametrize(
    ("shown", "printed"),
    [("a\nb\n", "a  \nb"), ("a … c\n", "a b c\n"), ("…\nc\n…\n", "a\nb\nc\n"), ("…\n", ""), ("a.c\n", "\na.c\n\n")],
)
def test_text_as_shown(shown: str, printed: str) -> None:
    """`…` stands for anything in a line, and alone for any lines; blank ends count for nothing."""
    assert _differs("text", shown, printed) is None


@pytest.mark.parametrize(("shown", "printed"), [("a\n", "a\nb\n"), ("a.c\n", "abc\n"), ("a … c\n", "a\nc\n")])
def test_text_otherwise(shown: str, printed: str) -> None:
    """All lines are compared, and nothing but `…` is a pattern."""
    assert _differs("text", shown, printed) == f"is not\n{shown}"


def test_heads() -> None:
    """The status and each field shown must be there, in any case and order, among others."""
    printed = "HTTP/1.1 200 OK\r\nA: 1\r\nX-Id: 7c\r\nB: 2\r\n\r\nC: 3"
    assert _differs("http", "HTTP/1.1 200 OK\nb: 2\nx-id: 7…\n", printed) is None
    assert _differs("http", "HTTP/1.1 404 Not Found\nC: 3\n", printed) == (
        "has no line `HTTP/1.1 404 Not Found`; has no line `C: 3`"
    )


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ('{"a": 1}', '{"b": 2, "a": 1}'),
        ('{"a": [{"b": null}]}', '{"a": [{"b": null, "c": 1}]}'),
        ('"a … c"', '"a x\\ny c"'),
        ("[]", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n[]"),
        ('{"pid": 1}', '{"pid": 2}'),
    ],
)
def test_json_as_shown(shown: str, printed: str) -> None:
    """Members shown have their values, others may be there; those that vary must be there; a head is passed over."""
    assert _differs("json", shown, printed, "pid") is None


@pytest.mark.parametrize(
    ("shown", "printed", "told"),
    [
        ('{"a": 1}', "{}", ".a is missing"),
        ('{"pid": 1}', "{}", ".pid is missing"),
        ('{"a": {"b": "x"}}', '{"a": {"b": "y"}}', '.a.b is "y", but "x" is shown'),
        ("[1]", "[1, 2]", " is [1, 2], but [1] is shown"),
        ("[1]", "[2]", "[0] is 2, but 1 is shown"),
        ("true", "null", " is null, but true is shown"),
        ("{}", "oops", "is no JSON"),
    ],
)
def test_json_otherwise(shown: str, printed: str, told: str) -> None:
    """What differs is told with its path."""
    assert _differs("json", shown, printed, "pid") == told
