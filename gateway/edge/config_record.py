"""Which configuration is served, since when, and what became of attempts to take another: for metrics and status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

_RELOADS: Final = "Attempts to take a changed configuration: success, or failure, after which the last one serves on."
_LAST: Final = "1 when the last attempt to take a configuration succeeded, the start among them, else 0."
_LOADED: Final = "When the configuration that is served was loaded, in Unix time."
_INFO: Final = "1, for the digest of the files of the configuration that is served."


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
        reloads = CounterMetricFamily("accord_config_reloads", _RELOADS, labels=("result",))
        reloads.add_metric(("success",), self._successes)
        reloads.add_metric(("failure",), self._failures)
        yield reloads
        yield GaugeMetricFamily("accord_config_last_reload_successful", _LAST, value=int(self._last))
        yield GaugeMetricFamily("accord_config_loaded_timestamp_seconds", _LOADED, value=self._loaded_s)
        info = GaugeMetricFamily("accord_config_info", _INFO, labels=("hash",))
        info.add_metric((self._digest,), 1)
        yield info
