"""Exceptions carry fields; their sentences are built of them."""

from __future__ import annotations

import pytest

from gateway.errors import (
    AccordError,
    ClientGone,
    ConfigError,
    Fault,
    Severity,
    StoreFailure,
    StoreReason,
    TransportFailure,
    TransportReason,
)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            Fault(file="a.yaml", line=3, column=7, path="limits[0].per", message="no unit", hint="write 60s"),
            "a.yaml:3:7 limits[0].per: no unit (write 60s)",
        ),
        (Fault(file="a.yaml", line=3, column=7, message="no unit"), "a.yaml:3:7: no unit"),
        (Fault(file="a.yaml", message="cannot be read"), "a.yaml: cannot be read"),
        (Fault(file="a.yaml", message="odd", severity=Severity.WARNING), "a.yaml: warning: odd"),
    ],
)
def test_a_fault_reads_as_file_line_column_path(fault: Fault, sentence: str) -> None:
    """A fault is one line that editors can jump by; what is not known is left out."""
    assert str(fault) == sentence


def test_faults_are_told_in_the_order_of_their_places() -> None:
    """A person reads a file from the top, so all faults at once come in the order of files, lines and columns."""
    places = [("b.yaml", 1, 1), ("a.yaml", 10, 1), ("a.yaml", 2, 9), ("a.yaml", 2, 3)]
    error = ConfigError([Fault(file=file, line=line, column=column, message="no") for file, line, column in places])
    assert [(fault.file, fault.line, fault.column) for fault in error.faults] == sorted(places)
    assert str(error).splitlines() == ["a.yaml:2:3: no", "a.yaml:2:9: no", "a.yaml:10:1: no", "b.yaml:1:1: no"]


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (TransportFailure(TransportReason.DNS_ERROR), "dns_error"),
        (TransportFailure(TransportReason.CONNECTION_REFUSED, "192.0.2.1:443"), "connection_refused: 192.0.2.1:443"),
    ],
)
def test_a_transport_failure_names_its_reason(failure: TransportFailure, sentence: str) -> None:
    """The reason is a field, in the words of RFC 9209; the note behind it is the operator's."""
    assert str(failure) == sentence


def test_a_store_failure_says_no_more_than_its_reason() -> None:
    """What a store or its client wrote may name addresses and passwords, so a failure bears one word of ours."""
    assert str(StoreFailure(StoreReason.READONLY)) == "the store of limits did not decide: readonly"


@pytest.mark.parametrize("kind", [ConfigError, TransportFailure, ClientGone, StoreFailure])
def test_all_exceptions_have_one_root(kind: type[Exception]) -> None:
    """Whoever means every exception of this program names one class."""
    assert issubclass(kind, AccordError)
