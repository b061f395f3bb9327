"""Rules for every test: nothing is skipped unseen where all is required, and Hypothesis has no deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.components import all_required

if TYPE_CHECKING:
    from collections.abc import Generator

# Time on a shared machine says nothing about the code; a run that hangs is ended by pytest's faulthandler_timeout.
# The parent is Hypothesis' own choice: where CI is set, the same examples every time.
hypothesis.settings.register_profile("accord", parent=hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("accord")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped where all is required, unless it is marked `platform`."""
    report = yield
    xfailed = hasattr(report, "wasxfail")
    if report.skipped and not xfailed and all_required() and item.get_closest_marker("platform") is None:
        _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that was skipped whole where all is required."""
    report = yield
    if report.skipped and all_required():
        _fail(report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: begun last, it would keep one core busy while the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _fail(report: Any) -> None:  # noqa: ANN401 - TestReport and CollectReport type these two attributes differently
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"ACCORD_REQUIRE_ALL is set, and this was skipped: {reason}"
