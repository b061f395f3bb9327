"""A mapping that forgets what is oldest."""

from __future__ import annotations

from gateway.limits.recent import Recent


def test_bounded() -> None:
    """The last so many are held, and never more than twice as many."""
    recent: Recent[int, str] = Recent(3)
    for number in range(100):
        recent.put(number, str(number))
        assert len(recent) <= 6
        assert all(recent.get(held) == str(held) for held in range(max(0, number - 2), number + 1))
    assert recent.get(0) is None


def test_newest_counts() -> None:
    """What is put again replaces what was there, in whichever generation, and takes no more room."""
    recent: Recent[int, str] = Recent(2)
    for number in (1, 2, 3):
        recent.put(number, "old")
    recent.put(1, "new")
    assert recent.get(1) == "new"
    for _ in range(10):
        recent.put(1, "newest")
    assert recent.get(1) == "newest"
    assert recent.get(3) == "old"


def test_drop() -> None:
    """What is dropped is gone from both generations."""
    recent: Recent[int, str] = Recent(2)
    for number in (1, 2, 3, 1):
        recent.put(number, "x")
    recent.drop(1)
    recent.drop(7)
    assert recent.get(1) is None
    assert recent.get(2) == "x"
