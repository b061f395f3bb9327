"""Which configuration is served, since when, and what became of attempts to take another: for metrics and status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prometheus_client.registry import Collector

from gateway.edge.series import Family, Told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

RELOADS: Final = Family(
    "accord_config_reloads",
    "counter",
    "Attempts to take another configuration: success, or failure, after which the last one serves on.",
    ("result",),
)
LAST: Final = Family(
    "accord_config_last_reload_successful",
    "gauge",
    "1 when the last attempt to take a configuration succeeded, the start among them, else 0.",
)
LOADED: Final = Family(
    "accord_config_loaded_timestamp_seconds",
    "gauge",
    "When the configuration that is served was loaded, in Unix time.",
)
INFO: Final = Family(
    "accord_config_info", "gauge", "1, for the digest of the files of the configuration that is served.", ("hash",)
)


class ConfigRecord(Collector):
    """Remembers one configuration's digest, and how often another one was taken, or could not be."""

    def __init__(self, digest: str, now_s: float) -> None:
        """Begin with what was loaded at the start, at `now_s` in Unix time."""
        self._digest = digest
        self._loaded_s = now_s
        self._successes = 0
        self._failures = 0
        self._last = True

    def reloaded(self, digest: str, now_s: float) -> None:
        """Note that a configuration was taken."""
        self._digest, self._loaded_s = digest, now_s
        self._successes += 1
        self._last = True

    def failed(self) -> None:
        """Note that a configuration could not be taken, and that the last one serves on."""
        self._failures += 1
        self._last = False

    def described(self) -> Mapping[str, Any]:
        """Return what the status page tells."""
        return {"hash": self._digest, "loaded": round(self._loaded_s, 3), "last_reload_successful": self._last}

    def collect(self) -> Iterator[Metric]:
        """Return the families of one scrape."""
        results = (("success", self._successes), ("failure", self._failures))
        yield Told(RELOADS, lambda: [((result,), count) for result, count in results]).metric()
        yield Told(LAST, lambda: [((), int(self._last))]).metric()
        yield Told(LOADED, lambda: [((), self._loaded_s)]).metric()
        yield Told(INFO, lambda: [((self._digest,), 1)]).metric()
