"""Which words of an upstream may be shown to a person."""

from __future__ import annotations

import pytest

from gateway.dialects.text import LONGEST_TEXT, clean, is_usable


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Not here \n", "Not here"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("half \ud800 a pair", "half ? a pair"),
        ("لا يوجد\u200f", "لا يوجد\u200f"),
        ("<p>Not <b>here</b></p><script>x()</script>", "Not here x()"),
        ("Fish &amp; chips", "Fish & chips"),
        ("a < b", "a < b"),
        ("a &lt; b", "a < b"),
        ("3 < 4 > 2", "3 < 4 > 2"),
        ("&#" + "9" * 5_000 + ";", "\N{REPLACEMENT CHARACTER}"),
        ("&#xD800;", "\N{REPLACEMENT CHARACTER}"),
        ("x" * 3_000, "x" * LONGEST_TEXT),
        ("<b>" + "x" * 3_000, "x" * LONGEST_TEXT),
        ("<>", "<>"),
        (" ", ""),
    ],
)
def test_text_is_cleaned(text: str, cleaned: str) -> None:
    """Markup, control characters and surplus space go; what is left is in UTF-8 and bounded."""
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "/srv/a.py", line 1, in <module>\n    run()',
        'Failed: File "/srv/a.py", line 1, in run',
        "NullPointerException\n\tat com.shop.Cart.<init>(Cart.java:9)",
        "java.lang.Error: no at com.shop.Cart.total(Native Method)",
        "Error: no\n    at Cart.total (/srv/cart.js:9:1)",
        "Error: no\n    at /srv/cart.js:9:1",
        "TypeError: no at Object.<anonymous> (/srv/cart.js:9:1)",
        "Error: no at Shop.Cart.Total(Int32 n) in C:\\src\\Cart.cs:line 9",
        "Uncaught Error in /srv/Db.php:33 Stack trace: none",
        "#0 /srv/index.php(3): run()\n#1 {main}",
        "panic: no\n\ngoroutine 1 [running]:",
        "<pre>Error: no<br> at Cart.total (/srv/cart.js:9:1)</pre>",
        "Failed: File &quot;/srv/a.py&quot;, line 1, in run",
        "<p>Failed: File <b>&quot;/srv/a.py&quot;</b>, line 1, in run</p>",
    ],
)
def test_a_stack_trace_is_no_text(text: str) -> None:
    """What is inside a server is nobody's business, whatever markup is around it."""
    assert clean(text) == ""


@pytest.mark.parametrize(
    "text",
    ["It opens at 10:30 (see the door).", "Call at (noon):30", "Choose <name> at <place>", "Order #1 (2) is late"],
)
def test_what_only_looks_like_a_trace_is_text(text: str) -> None:
    """A sentence with a time, a number or angle brackets is a sentence."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("The page is gone.", True),
        ("No", True),
        ("Gesperrt", True),
        ("غير موجود", True),
        ("404", True),
        ("Note: see alert.invalid", True),
        ("", False),
        ("NULL", False),
        ("undefined", False),
        ("[object Object]", False),
        ("alert.invalid_fields", False),
        ("INVALID_FIELDS", False),
        ("errors.user.name.blank", False),
        ("First line\nsecond line", True),
    ],
)
def test_a_usable_text_tells_a_person_something(text: str, *, usable: bool) -> None:
    """Not "null", not a key that nobody translated, not a stack trace."""
    assert is_usable(text) == usable
