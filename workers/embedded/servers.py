"""The three servers of one stack, and how the rest of the house is told where they are."""

from collections.abc import Mapping
from pathlib import Path

from workers.embedded.jars import Progress
from workers.embedded.kafka import Kafka
from workers.embedded.ports import Ports
from workers.embedded.postgres import Postgres
from workers.embedded.server import Part
from workers.embedded.temporal import Temporal
from workers.settings import NAMESPACE


class Servers:
    """Kafka, Postgres and Temporal with their state under `data`, but those that are `elsewhere`.

    `elsewhere` are settings (`kafka`, `database_url`, `temporal_address`) that the environment gives; and the
    `temporal_namespace` that ours shall have.
    """

    def __init__(
        self,
        data: Path,
        ports: Ports,
        environ: Mapping[str, str],
        elsewhere: Mapping[str, str],
        progress: Progress,
    ) -> None:
        self._kafka = Kafka(data / "kafka", ports.kafka, ports.controller, environ, progress)
        self._postgres = Postgres(data / "postgres", ports.postgres)
        namespace = elsewhere.get("temporal_namespace", NAMESPACE)
        self._temporal = Temporal(
            data / "temporal", ports.temporal, ports.ui, ports.http, namespace=namespace
        )
        self._elsewhere = elsewhere

    def own(self) -> list[Part]:
        """Those that this stack runs."""
        all_: dict[str, Part] = {
            "kafka": self._kafka,
            "database_url": self._postgres,
            "temporal_address": self._temporal,
        }
        return [part for setting, part in all_.items() if setting not in self._elsewhere]

    @property
    def ui(self) -> str:
        """The address of Temporal's Web UI, "" when Temporal runs elsewhere."""
        return "" if "temporal_address" in self._elsewhere else self._temporal.ui

    def addresses(self) -> dict[str, str]:
        """Every server as `workers.settings` names it, password included."""
        return {
            "kafka": self._elsewhere.get("kafka") or self._kafka.address,
            "database_url": self._elsewhere.get("database_url") or self._postgres.url(),
            "temporal_address": self._elsewhere.get("temporal_address") or self._temporal.address,
        }
