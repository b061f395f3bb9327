"""The files of a configuration, looked at: what is another by now, however wrong it may be."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from gateway.config.files import FileSet, changes, seen_in
from gateway.config.load import load
from gateway.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

LATER_NS = 3_600 * 10**9


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file, as it were an hour ago, so that a look need not read it twice."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    return file


def upstream(more: str = "") -> str:
    """Return the text of an upstream's file."""
    return f"version: 1\nname: api\nbase_url: https://api.example\nmatch: {{prefix: /api}}\n{more}"


def look(files: FileSet) -> dict[str, bytes]:
    """Look long after everything was written."""
    return files.look(time.time_ns() + LATER_NS)


def test_what_was_loaded_is_what_is_seen(tmp_path: Path) -> None:
    """Line breaks of another system included."""
    config = write(tmp_path, "gateway.yaml", "version: 1\r\n")
    write(tmp_path, "upstreams/api.yaml", upstream())
    assert look(FileSet(config)) == seen_in(load(config))


def test_files_come_and_go_and_change(tmp_path: Path) -> None:
    """Those that the patterns match and those that an upstream names; and the patterns themselves."""
    config = write(tmp_path, "gateway.yaml", "version: 1\n")
    api = write(tmp_path, "upstreams/api.yaml", upstream("tls: {ca_file: ../ca.pem, server_name: a.example}"))
    files = FileSet(config)
    first = look(files)
    assert first[str(tmp_path / "upstreams" / ".." / "ca.pem")] == b""
    assert look(files) == first
    write(tmp_path, "ca.pem", "one")
    second = look(files)
    assert [name for name in second if second[name] != first[name]] == [str(tmp_path / "upstreams" / ".." / "ca.pem")]
    other = write(tmp_path, "upstreams/other.yaml", "tls: []\nname_file: x")
    assert look(files).keys() - second.keys() == {str(other)}
    api.unlink()
    write(tmp_path, "more/third.yaml", "x_file: [")
    config.write_text("upstreams: [more/*.yaml, 7]\n")
    assert look(files).keys() == {str(config), str(tmp_path / "more" / "third.yaml")}
    config.unlink()
    assert look(files).keys() == {str(config), str(other)}


def test_names_of_files_that_cannot_be(tmp_path: Path) -> None:
    """What is no text, or holds a NUL, names no file."""
    config = write(tmp_path, "gateway.yaml", "version: 1\n")
    write(tmp_path, "upstreams/api.yaml", upstream('tls: {ca_file: 7, cert_file: "a\\0b", server_name: a.example}'))
    write(tmp_path, "upstreams/list.yaml", "- ca_file\n")
    assert len(look(FileSet(config))) == 3


def test_a_file_is_read_again_while_a_second_write_might_not_show(tmp_path: Path) -> None:
    """One of the same length in the same moment shows nowhere; later, what the system tells of a file is enough."""
    config = write(tmp_path, "gateway.yaml", "version: 1\n")
    files, now_ns = FileSet(config), time.time_ns()
    first = files.look(now_ns)
    state = config.stat()
    config.write_bytes(b"version: 2\n")
    os.utime(config, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert files.look(now_ns) != first
    config.write_bytes(b"version: 1\n")
    assert files.look(now_ns) == first
    os.utime(config, ns=(0, 0))
    assert look(files) == first
    assert look(files) == first


def test_changes_are_told_by_name() -> None:
    """What came, what went, what is another."""
    assert changes({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5}) == (["d"], ["a"], ["c"])


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe would keep whoever reads it waiting for ever: it is known as one that cannot be read."""
    config = write(tmp_path, "gateway.yaml", "version: 1\n")
    write(tmp_path, "upstreams/api.yaml", upstream("tls: {ca_file: ../ca.pem, server_name: a.example}"))
    known = load(config)
    os.mkfifo(tmp_path / "ca.pem")
    config.unlink()
    os.mkfifo(config)
    files = FileSet(config)
    assert [name for name, digest in look(files).items() if not digest] == [
        str(config),
        str(tmp_path / "upstreams" / ".." / "ca.pem"),
    ]
    assert files.own == {str(config), str(tmp_path / "upstreams" / "api.yaml")}
    with pytest.raises(ConfigError, match=r"gateway\.yaml: is not a file"):
        load(config, known=known)


def test_a_file_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    """It could be told neither in a log nor to another process."""
    config = write(tmp_path, "gateway.yaml", "version: 1\n")
    write(tmp_path, "upstreams/api.yaml", upstream())
    write(tmp_path, os.fsdecode(b"upstreams/\xff.yaml"), upstream())
    with pytest.raises(ConfigError, match=r"udcff\.yaml': its name is not UTF-8 text") as raised:
        load(config)
    assert len(raised.value.faults) == 1
    assert str(raised.value).isascii()
