"""The words of the pages."""

from __future__ import annotations

import pytest

from gateway.catalog.documents import package_text
from gateway.catalog.labels import LABELS, parse_labels
from gateway.errors import ConfigError
from gateway.model import Category, Party


def test_every_party_and_category_has_a_name() -> None:
    """A page never shows a bare word of the format in place of a name."""
    assert set(LABELS.fault) == set(Party)
    assert set(LABELS.category) == set(Category)


def test_label_by_language() -> None:
    """A label gives its words in the language asked."""
    assert (LABELS.page["yes"].of("en"), LABELS.page["yes"].of("ar")) == ("Yes", "نعم")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  timeout: {en: Too slow, ar: انتهاء المهلة}\n", "", "no label for timeout"),
        ("  gateway: {en:", "  nobody: {en:", "Invalid enum value 'nobody'"),
        ("{en: Gone, ar:", "{en: Gone, fr:", "unknown field `fr`"),
        ("{en: Gone, ar: أُزيل نهائيًا}", "{en: Gone}", "missing required field `ar`"),
        ("{en: Gone,", "{en: '',", "Expected `str`"),
    ],
)
def test_file_is_read_strictly(old: str, new: str, message: str) -> None:
    """A language, a party or a category that is missing stops the load."""
    text = package_text("labels.yaml")
    assert old in text
    with pytest.raises(ConfigError, match=message):
        parse_labels(text.replace(old, new), "labels.yaml")
