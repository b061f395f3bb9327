"""The words that samples of unknown replies may show: the codes of all presets, in a list that is made from them.

A gateway needs all these words and few of the presets. Reading a hundred presets for their words alone would be half of
its start and a fifth of its memory, so `make pages` writes the list, and a test holds it to the presets.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources

from gateway.config import presets
from gateway.pipeline.radar import known_words


@cache
def shipped() -> frozenset[str]:
    """Return the words of the presets that come with Accord."""
    text = resources.files("gateway.pipeline").joinpath("words.txt").read_text(encoding="utf-8")
    return frozenset(text.split("\n")) - {""}


def listed() -> str:
    """Return the list as the file has it."""
    return "".join(f"{word}\n" for word in sorted(known_words(presets.specs().values())))


if __name__ == "__main__":
    sys.stdout.write(listed())
