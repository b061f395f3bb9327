"""Captured values made fit for a file that others read: secrets, ids and personal data keep nothing but their shape.

A text is searched by RE2, so that no capture can make that slow. What is replaced is replaced in the same way every
time, whatever it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import re2

from gateway.pipeline.suggest.words import folded, is_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 400
_SECRET: Final = frozenset(
    [
        "password",
        "passwd",
        "secret",
        "token",
        "authorization",
        "apikey",
        "cookie",
        "session",
        "signature",
        "otp",
        "pin",
        "cvv",
        "cvc",
        "iban",
        "ssn",
        "jwt",
        "credential",
        "credentials",
        "csrf",
    ]
)
_SECRETS: Final = frozenset(("api key", "access key", "private key", "client secret", "card number", "account number"))
_PERSONAL: Final = frozenset(
    [
        "email",
        "phone",
        "mobile",
        "tel",
        "fullname",
        "firstname",
        "lastname",
        "surname",
        "address",
        "street",
        "city",
        "zip",
        "postcode",
        "birthday",
        "dob",
        "username",
        "ip",
        "iban",
        "passport",
        "latitude",
        "longitude",
    ]
)
_PERSONALS: Final = frozenset(
    (
        "first name",
        "last name",
        "full name",
        "customer name",
        "user name",
        "postal code",
        "zip code",
        "ip address",
        "date of birth",
    )
)
_TIMES: Final = frozenset(
    [
        "reset",
        "time",
        "timestamp",
        "at",
        "expires",
        "expiry",
        "until",
        "date",
        "retry",
        "after",
        "created",
        "updated",
        "ts",
        "epoch",
    ]
)
_LONG_NUMBER, _LONGEST_NUMBER = 10**8, 10**17
_LONGEST_DIGITS: Final = 17  # more than that, and not every reader of YAML takes it for the same number
_MAIL = re2.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_UNIQUE = re2.compile(
    r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+){0,2}"  # a JSON Web Token
    r"|\b[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\b"  # a UUID
    r"|\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b"  # an address
    r"|\+?\b[0-9][0-9 ()-]{7,}[0-9]\b"  # a number of a phone, a card, an account
    r"|\b[A-Za-z0-9_-]{16,}\b"
)
_FEW_DIGITS: Final = 3
_LETTERS, _HEX, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "abcdef", "1234567890"


def masked_text(text: str) -> str:
    """Return a text with addresses of mail, tokens, ids and long numbers replaced."""
    text = _MAIL.sub("someone@example.com", text[: 64 * 1024])
    return str(_UNIQUE.sub(lambda found: _unique(found.group()), text))


def _unique(text: str) -> str:
    """Replace what a pattern found, unless it is made of words: `invalid_parameter_value` is no secret."""
    digits = sum(map(str.isdigit, text))
    return shaped(text) if digits >= _FEW_DIGITS and not _is_date(text) else text


def _is_date(text: str) -> bool:
    return len(text) >= 10 and text[4] == "-" and text[7] == "-" and text[:4].isdigit() and text[8:10].isdigit()


def shaped(text: str) -> str:
    """Return a text of the same shape: letters for letters, digits for digits, hexadecimal for hexadecimal."""
    hexadecimal = all(one in "0123456789abcdefABCDEF-" for one in text)
    letters = _HEX if hexadecimal else _LETTERS
    return "".join(_in_place_of(one, at, letters) for at, one in enumerate(text))


def _in_place_of(one: str, at: int, letters: str) -> str:
    if one.isdigit():
        return _DIGITS[at % len(_DIGITS)]
    letter = letters[(7 * at + 3) % len(letters)]
    return one if not one.isalpha() else letter.upper() if one.isupper() else letter


def masked(value: Any, *, failed: bool, name: str = "") -> Any:
    """Return a value with all that is secret or personal in it replaced, long texts cut.

    Args:
        value: any JSON.
        failed: whether it is of an error, where a text under `email` says what is wrong with it.
        name: the key under which it stands.
    """
    if type(value) is dict:
        return {masked_text(key): masked(inner, failed=failed, name=key) for key, inner in value.items()}
    if type(value) is list:
        return [masked(inner, failed=failed, name=name) for inner in value]
    if type(value) is str:
        return _text(value, name, failed=failed)
    return _number(value, name) if type(value) is int else value


def _text(value: str, name: str, *, failed: bool) -> str:
    if _is_private(name, failed=failed) and not (failed and is_sentence(value)):
        return "someone@example.com" if "@" in value else shaped(value[:_LONGEST])
    text = masked_text(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _is_private(name: str, *, failed: bool) -> bool:
    whole = folded(name)
    words = frozenset(whole.split())
    if whole in _SECRETS or not _SECRET.isdisjoint(words):
        return True
    return not failed and (whole in _PERSONALS or not _PERSONAL.isdisjoint(words))


def _number(value: int, name: str) -> int:
    """Replace a number that can only be an id; times stay, for they are read."""
    if abs(value) < _LONG_NUMBER or (abs(value) < _LONGEST_NUMBER and not _TIMES.isdisjoint(folded(name).split())):
        return value
    return int(shaped(str(value))[:_LONGEST_DIGITS])


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return header fields with what is unique in their values replaced; numbers and dates stay."""
    return {name: value if value.isdigit() else masked_text(value) for name, value in headers.items()}
