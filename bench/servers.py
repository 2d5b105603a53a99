"""A Kafka and a Postgres of their own for a measurement, on free ports in a temporary folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.postgres import Postgres
from workers.embedded.supervised import Supervised


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """Kafka's address and the URL of Postgres; both end with the block, whatever happened."""
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder:
        home, guard = Path(folder), Guard()
        listener = ports.free()
        kafka = Kafka(home / "kafka", listener, ports.free({listener}), os.environ, lambda *_: None)
        postgres = Postgres(home / "postgres", ports.free())
        started = [
            Supervised(p, home / f"{p.name}.log", guard, os.environ, lambda *_: None)
            for p in (kafka, postgres)
        ]
        try:
            for one in started:
                one.start()
            for one in started:
                one.wait_until_ready()
            yield kafka.address, postgres.url()
        finally:
            for one in started:
                one.stop()
            guard.close()
