"""What is wrong with one field, from the upstream's words for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog import field_code_of
from gateway.catalog.fields import TEXT_LIMIT, VOCABULARY, Phrase, fold, fold_code, parse_field_codes
from gateway.errors import ConfigError
from gateway.model import FieldCode


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A delivery street is required.", "required"),
        ("Colour can't be blank", "required"),
        ("Colour can’t be blank", "required"),
        ("must not be null", "required"),
        ("Some required fields were left out.", "required"),
        ("رقم الجوال مطلوب", "required"),
        ("رَقْمُ الجَوَّالِ مَطْلُوبٌ", "required"),
        ("رقم الجوال مطـــلوب", "required"),
        ("يجب إدخال العنوان", "required"),
        ("يجب ادخال العنوان", "required"),
        ("The note is not required for pick-up.", "other"),
        ("هذا الحقل غير مطلوب هنا", "other"),
        ("Unknown field in this voucher.", "unknown"),
        ("These names are not known here.", "unknown"),
        ("Additional properties are not allowed", "unknown"),
        ("هذا الحقل غير معروف", "unknown"),
        ("Pick-up day is invalid.", "invalid"),
        ("The e-mail must be a valid address.", "invalid"),
        ("A valid number is required.", "invalid"),
        ("must be one of red, green", "invalid"),
        ("البريد الإلكتروني غير صالح", "invalid"),
        ("صيغة التاريخ غير صحيحة", "invalid"),
        ("السعر يجب أن يكون رقمًا", "invalid"),
        ("This SKU has already been taken.", "duplicate"),
        ("must be unique", "duplicate"),
        ("البريد مستخدم من قبل", "duplicate"),
        ("الاسم موجود مسبقًا", "duplicate"),
        ("رقم الجوال مُسجَّل مسبقا", "duplicate"),
        ("The name must be at least 3 characters.", "too_short"),
        ("must not be less than 5 characters", "too_short"),
        ("Choose a word; it must have at least one letter.", "too_short"),
        ("يجب ألا يقل الاسم عن 3 أحرف", "too_short"),
        ("The name may not be greater than 40 characters.", "too_long"),
        ("is too long (maximum is 20 characters)", "too_long"),
        ("must be less than 20 characters", "too_long"),
        ("يجب ألا يتجاوز الاسم 40 حرفًا", "too_long"),
        ("quantity must be at least 1", "out_of_range"),
        ("must be between 2 and 10", "out_of_range"),
        ("must be a date after today", "out_of_range"),
        ("must be a positive number", "out_of_range"),
        ("يجب ألا تقل الكمية عن 1", "out_of_range"),
        ("يجب أن يكون التاريخ في المستقبل", "out_of_range"),
        ("No such customer", "not_found"),
        ("The branch does not exist", "not_found"),
        ("الفرع غير موجود", "not_found"),
        ("validation.required", "required"),
        ("Your card was declined.", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_text_names_the_code(text: str | None, code: str) -> None:
    """English and Arabic texts are known by their phrases, and a text that none of them knows is `other`."""
    assert field_code_of(text, None) == code


@pytest.mark.parametrize(
    ("upstream_code", "code"),
    [
        ("missing_field", "required"),
        ("MISSING_FIELD", "required"),
        ("missingField", "required"),
        ("required", "required"),
        ("blank", "required"),
        ("taken", "duplicate"),
        ("already_exists", "duplicate"),
        ("invalid", "invalid"),
        ("too_long", "too_long"),
        ("too_short", "too_short"),
        ("unknown", "unknown"),
        ("extra_forbidden", "unknown"),
        ("max_value", "out_of_range"),
        ("does_not_exist", "not_found"),
        ("too_small", "too_short"),
        ("NAME_TOO_LONG", "too_long"),
        ("E1234", "other"),
        ("custom", "other"),
        (None, "other"),
    ],
)
def test_upstream_code_names_the_code(upstream_code: str | None, code: str) -> None:
    """An upstream's own field code is known in any spelling, and by its words where it is in no table."""
    assert field_code_of(None, upstream_code) == code


@pytest.mark.parametrize(
    ("text", "upstream_code", "code"),
    [
        ("This one has too many letters", "too_long", "too_long"),
        ("The name is invalid", "blank", "required"),
        ("Street is required", "invalid", "required"),
        ("Number must be greater than 3", "too_small", "out_of_range"),
        ("Street is required", "E_NAME_TOO_LONG", "required"),
        ("Nothing that a phrase knows", "invalid", "invalid"),
    ],
)
def test_precise_word_wins(text: str, upstream_code: str, code: str) -> None:
    """A code that says what is wrong beats the text; a vague or an unlisted one gives way to it."""
    assert field_code_of(text, upstream_code) == code


def _sample(phrase: Phrase) -> str:
    return " so".join([phrase.first, *phrase.rest])


def test_no_phrase_is_shadowed() -> None:
    """Every phrase can be the first that occurs: none stands below one that always occurs with it."""
    for phrase in VOCABULARY.phrases:
        text = fold(_sample(phrase))
        first = next(other for other in VOCABULARY.phrases if other.first in text and other.goes_on_in(text))
        assert first is phrase, f"{phrase} is never reached because of {first}"


@pytest.mark.parametrize("code", FieldCode)
def test_each_field_code_can_be_told(code: FieldCode) -> None:
    """Every word of the field vocabulary comes out of some phrase and of some upstream code."""
    assert code in {phrase.code for phrase in VOCABULARY.phrases}
    assert code in {*VOCABULARY.decisive.values(), *VOCABULARY.vague.values()}


def test_latin_words_match_at_their_beginning() -> None:
    """A phrase does not occur inside another word, but a word may have an ending."""
    assert field_code_of("The bimissing thing", None) == "other"
    assert field_code_of("Some things missing.", None) == "required"


def test_parts_of_a_phrase_keep_their_order() -> None:
    """What comes before the first part does not count for the second."""
    assert field_code_of("characters: at most 3", None) == "out_of_range"


def test_only_the_beginning_is_read() -> None:
    """What stands beyond the limit has no influence, so that a long text costs no more than a short one."""
    assert field_code_of("x" * TEXT_LIMIT + " is required", None) == "other"
    assert field_code_of(None, "x" * TEXT_LIMIT + "_required") == "other"


@given(st.none() | st.text(), st.none() | st.text())
def test_any_words_give_a_code(text: str | None, upstream_code: str | None) -> None:
    """No text and no code, however strange, is without an answer."""
    assert isinstance(field_code_of(text, upstream_code), FieldCode)


def test_lone_surrogates_are_words_too() -> None:
    """JSON can hold text that is no valid Unicode."""
    assert field_code_of("\ud800 is required", "\udfff") == "required"


def test_folding() -> None:
    """Spellings of one word come out the same."""
    assert fold("  Can't_be--BLANK! ") == " can t be blank"
    assert fold("إلزاميّةٌ") == fold("الزاميه")
    assert fold_code("tooLongHTML") == " too long html"
    assert fold("") == " "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("upstream_codes: {}\nvague_codes: {}\n", "missing required field `phrases`"),
        ("upstream_codes: {wrong: [a]}\nvague_codes: {}\nphrases: []\n", "Invalid enum value 'wrong'"),
        ("upstream_codes: {other: [a_b, aB]}\nvague_codes: {}\nphrases: []\n", "'a b' is there twice"),
        ("upstream_codes: {other: [a]}\nvague_codes: {invalid: [a]}\nphrases: []\n", "'a' is both decisive and vague"),
        ("upstream_codes: {}\nvague_codes: {}\nphrases: []\nmore: 1\n", "unknown field `more`"),
    ],
)
def test_file_is_read_strictly(text: str, message: str) -> None:
    """What is missing, unknown, twice or contradictory stops the load."""
    with pytest.raises(ConfigError, match=message):
        parse_field_codes(text, "field_codes.yaml")
