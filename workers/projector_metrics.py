"""What the projector tells Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from domain.refusal import Refusal
from projections.batch import Folded
from projections.standing import Stand

Place = tuple[str, int]

_UNKNOWN = float("nan")
_BATCH_SIZES = (1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000)


class ProjectorMetrics:
    """The numbers of one process; the `Observer` of each of its partitions."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        kept: dict[str, Any] = {"labelnames": ("topic", "partition"), "registry": self.registry}
        self._events = Counter("folkmoot_projector_events", "Records read and committed.", **kept)
        self._duplicates = Counter("folkmoot_projector_duplicates", "Events dropped as repeated.", **kept)
        self._parked = Counter("folkmoot_projector_parked", "Records parked as dead letters.", **kept)
        self._lost = Counter("folkmoot_projector_fence_lost", "Batches that another process beat.", **kept)
        self._lag = Gauge("folkmoot_projector_lag", "Records on the log not yet committed.", **kept)
        self._sealer_lag = Gauge("folkmoot_sealer_lag", "Records on the log not yet sealed.", **kept)
        self._refused = Gauge("folkmoot_projector_refused", "1: no further, it is another log.", **kept)
        self._stopped = Gauge(
            "folkmoot_sealing_stopped", "1: sealed no more; of checkpoints: nothing is.", **kept
        )
        self._seconds = Histogram("folkmoot_projector_batch_seconds", "Time of a transaction.", **kept)
        self._sizes = Histogram(
            "folkmoot_projector_batch_events", "Records in a transaction.", buckets=_BATCH_SIZES, **kept
        )
        self.next_offsets: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._seen: set[Place] = set()

    def standing(self, topic: str, partition: int, next_offset: int) -> None:
        """Where a partition is taken up."""
        self.next_offsets[topic, partition] = next_offset

    def applied(self, topic: str, partition: int, folded: Folded, seconds: float) -> None:
        self.next_offsets[topic, partition] = folded.end
        self._events.labels(topic, partition).inc(folded.events)
        self._duplicates.labels(topic, partition).inc(len(folded.repeated))
        self._parked.labels(topic, partition).inc(len(folded.dead))
        self._seconds.labels(topic, partition).observe(seconds)
        self._sizes.labels(topic, partition).observe(folded.events)

    def fence_lost(self, topic: str, partition: int) -> None:
        self._lost.labels(topic, partition).inc()

    def measured(self, topic: str, partition: int, end: int) -> None:
        """The log of a partition ends at `end` now."""
        self._ends[topic, partition] = end
        behind = end - self.next_offsets.get((topic, partition), 0)
        self._lag.labels(topic, partition).set(max(0, behind))

    def unmeasured(self) -> None:
        """Kafka cannot be asked: nobody knows the lags, and the last ones known would look like today's."""
        self._ends.clear()
        for place in self.next_offsets:
            self._lag.labels(*place).set(_UNKNOWN)

    def stands(self, found: Stand) -> None:
        """What Postgres says of the projections and of sealing."""
        self._seen |= {*found.sealed, *found.refused, *found.stopped, *self.next_offsets}
        for place in self._seen:
            self._refused.labels(*place).set(place in found.refused)
            self._stopped.labels(*place).set(place in found.stopped)
        for place, at in found.sealed.items():
            behind = max(0, self._ends[place] - at) if place in self._ends else _UNKNOWN
            self._sealer_lag.labels(*place).set(behind)

    def unknown(self) -> None:
        """Postgres cannot be asked."""
        for place in self._seen:
            for gauge in (self._refused, self._stopped, self._sealer_lag):
                gauge.labels(*place).set(_UNKNOWN)

    def serve(self, place: str) -> str:
        """Serve them at `host:port` (port 0: a free one) until the process ends; where they are.

        Raises:
            Refusal: the place is malformed or taken.
        """
        host, _, port = place.rpartition(":")
        try:
            server, _ = start_http_server(int(port), host or "127.0.0.1", registry=self.registry)
        except (ValueError, OverflowError):
            raise Refusal("--metrics", f"{place} is not host:port") from None
        except OSError as error:
            raise Refusal("--metrics", f"{place} cannot be served: {error.strerror}") from None
        return f"http://{host or '127.0.0.1'}:{server.server_address[1]}/metrics"
