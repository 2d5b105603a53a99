"""What the replicator tells Prometheus."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge

Way = tuple[str, str, str]
"""Source region, target region, layer."""

_LABELS = ("source_region", "target_region", "context_type")


class ReplicatorMetrics:
    """The numbers of one process.

    The lag is the age of the moment up to which the target has all that the source wrote: it grows while the
    link is away, and between the turns of a layer that waits for its turn.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._until: dict[Way, float] = {}
        self._lag = Gauge(
            "context_synchronization_lag",
            "Seconds since the target region had everything of the source region.",
            _LABELS,
            registry=self.registry,
        )
        self._passed = Counter(
            "folkmoot_replicator_writes",
            "Writes acknowledged by the target.",
            _LABELS,
            registry=self.registry,
        )
        self._withheld = Counter(
            "folkmoot_replicator_withheld", "Writes pinned to other regions.", _LABELS, registry=self.registry
        )

    def begins(self, way: Way) -> None:
        self._lag.labels(*way).set_function(lambda: self.lag(way))
        for counter in (self._passed, self._withheld):
            counter.labels(*way)

    def waits(self, way: Way, since: float) -> None:
        """A write of that time (Unix seconds) is about to be passed on."""
        self._until.setdefault(way, min(since, time.time()))

    def reached(self, way: Way, until: float) -> None:
        """The target has everything up to then (Unix seconds); a writer's clock may run ahead of ours."""
        until = min(until, time.time())
        self._until[way] = max(until, self._until.get(way, until))

    def passed(self, way: Way, writes: int) -> None:
        self._passed.labels(*way).inc(writes)

    def withheld(self, way: Way, writes: int) -> None:
        self._withheld.labels(*way).inc(writes)

    def lag(self, way: Way) -> float:
        """Seconds; not a number before anything is known."""
        until = self._until.get(way)
        return float("nan") if until is None else max(0.0, time.time() - until)
