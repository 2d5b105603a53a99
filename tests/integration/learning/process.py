"""One process of a fleet, for tests that kill or measure it: `orchestrator`, or the number of a host."""

import asyncio
import sys

from temporalio.client import Client

from eventlog.writer import LogWriter
from tests.integration.learning.conftest import Fleet
from workers.artifacts import FsspecArtifacts
from workflows.payloads import CONVERTER


async def main(*told: str) -> None:
    role, name, temporal, kafka, prefix, artifacts, clients = told
    client = await Client.connect(temporal, data_converter=CONVERTER)
    async with LogWriter(kafka, prefix) as log:
        fleet = Fleet(client, log, FsspecArtifacts(artifacts), (kafka, prefix), int(clients), name=name)
        worker = fleet.orchestrating() if role == "orchestrator" else fleet.hosting(int(role))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
