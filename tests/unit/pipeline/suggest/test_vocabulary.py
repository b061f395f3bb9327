"""The words by which inference knows the parts of an error."""

from __future__ import annotations

import pytest

from gateway.pipeline.suggest.meanings import meaning_of
from gateway.pipeline.suggest.vocabulary import parse_words
from gateway.pipeline.suggest.words import FIELD, MESSAGE, weight


def test_codes_are_of_the_catalogue() -> None:
    """A meaning that is in no catalogue is a mistake in the file."""
    text = "names: {message: {}, code: {}, type: {}, field: {}, fields: {}}\nmeanings: {nope: [a]}\nsilent: []\n"
    with pytest.raises(ValueError, match="not in the catalogue: nope"):
        parse_words(text)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("E_NOT_FOUND", ("not_found", True)),
        ("ErrNotFound", ("not_found", True)),
        ("order-not-found", ("not_found", False)),
        ("TOKEN_EXPIRED", ("token_expired", True)),
        ("E_STOCK", None),
    ],
)
def test_meanings(code: str, meaning: tuple[str, bool] | None) -> None:
    """The longest phrase in a code says what it means; other words make that less sure."""
    assert meaning_of(code) == meaning


def test_names_are_weighed_by_their_words() -> None:
    """A name counts whole, else by its last word, or by how that ends, for less."""
    assert weight("errorMessage", MESSAGE) == 10
    assert weight("customer_message", MESSAGE) == weight("retmsg", MESSAGE) + 1 == 7
    assert weight("colour", FIELD) == 0
