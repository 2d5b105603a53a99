"""A model of 10 million parameters and ten clients through the aggregator, over real files: time and memory.

The aggregator is a process of its own (`python -m bench.learning_large FOLDER`), so that what the updates'
makers held does not count. Its own memory is what it allocated (RssAnon); updates are mapped from their files
and read block by block, and pages of files are the system's to take back: they are named apart.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from activities import update_file
from activities.aggregating import Making, Part, aggregate
from activities.learning_tasks import AggregateRound
from activities.privacy import plain
from activities.privacy.port import Session
from activities.privacy.registry import Methods
from bench.figure import Figure
from domain.artifact import ArtifactRef
from domain.learning import tensor_file
from domain.learning.commands import RunCycle
from domain.learning.events import CycleOpened, Report
from domain.learning.policy import CohortPolicy, PrivacySpec, TrainerSpec
from domain.learning.strategies.registry import named
from domain.learning.update import TimeRange, UpdateMetadata
from domain.learning.wire import sent_schema
from workers.artifacts import FsspecArtifacts
from workers.trainers import InstalledTrainers

CLIENTS = 10
MOST_MODELS = 3.0
LOOK = 0.002
SETTINGS = {"features": 3322, "classes": 10, "hidden": 3000}
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Own:
    """What of the control side aggregation needs."""

    artifacts: FsspecArtifacts
    methods: Methods


def figures() -> list[Figure]:
    """Ten updates of 40 MB each, made here, aggregated in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="moot-bench-") as folder:
        size = asyncio.run(_made(Path(folder)))
        told = subprocess.run(
            [sys.executable, "-m", "bench.learning_large", folder],
            stdout=subprocess.PIPE,  # why it failed, if it does, is said where the bench is read
            check=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
    found = json.loads(told.stdout)
    note = f"{found['own'] / 2**20:.0f} MiB over a model of {size / 2**20:.0f}"
    files = "; pages of files that it mapped, which the system may take back"
    return [
        Figure(
            "10 M parameters, 10 clients: memory of the aggregator",
            found["own"] / size,
            "models",
            MOST_MODELS,
            "<=",
            f"{note}, above what the process held before",
        ),
        Figure("the same: mapped files", found["files"] / size, "models", note=files.lstrip("; ")),
        Figure(
            "the same: fedavg, from ten files to the next model's",
            found["seconds"],
            "s",
            note=f"no holdout; load {os.getloadavg()[0]:.1f}",
        ),
    ]


async def _made(folder: Path) -> int:
    """Write the model and the updates; bytes of a model."""
    artifacts, trainer = FsspecArtifacts(str(folder / "artifacts")), InstalledTrainers().named("mlp")
    model = trainer.initial(SETTINGS, 1)
    at = await artifacts.put(tensor_file.encode(model))
    wire = sent_schema(trainer.schema(SETTINGS), "epochs")
    reports, draw = [], np.random.default_rng(1)
    for number in range(CLIENTS):
        change = {spec.name: draw.random(spec.shape, np.float32) for spec in wire}
        said = {"node_id": f"c{number}", "metadata": UpdateMetadata("none", 100, TimeRange(_DAY, _DAY))}
        update = update_file.shaped({**said, **update_file.in_sections(wire, change)}, wire)
        ref = await artifacts.put(update_file.encode(update, wire))
        reports.append(Report(f"c{number}", ref.sha256, ref.bytes, 100, 10, 10, 1.0, ref.bytes, "none"))
    (folder / "task.json").write_bytes(msgspec.json.encode((at, reports)))
    return sum(array.nbytes for array in model.values())


async def _aggregated(folder: Path) -> None:
    at, reports = msgspec.json.decode(
        (folder / "task.json").read_bytes(), type=tuple[ArtifactRef, tuple[Report, ...]]
    )
    trainer = InstalledTrainers().named("mlp")
    schema = trainer.schema(SETTINGS)
    request = RunCycle("bench", "bench", TrainerSpec("mlp", SETTINGS), cohort=CohortPolicy(1.0, CLIENTS))
    opening = CycleOpened(request, _DAY, _DAY, schema, at, None, "", "")
    session = Session(
        cycle="bench",
        round=1,
        attempt=1,
        rounds=1,
        cohort=tuple(report.client for report in reports),
        eligible=CLIENTS,
        identities={},
        spec=PrivacySpec(),
        schema=sent_schema(schema, "epochs"),
    )
    own = Own(FsspecArtifacts(str(folder / "artifacts")), Methods([plain.installed()]))
    task = AggregateRound(opening, 1, 1, at, None, at, reports, (), (), last=True)
    await aggregate(Making(own, task, reports, named("fedavg"), trainer, (Part(session, {}),)))


def _resident() -> tuple[int, int]:
    """Bytes that this process allocated and holds, and pages of files."""
    said = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    own, files = (int(said[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile"))
    return own, files


def main() -> None:
    """Aggregate what lies in the folder, and print what it took."""
    before, most, over = _resident(), [0, 0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            most[:] = map(max, most, _resident())

    looking = threading.Thread(target=look)
    looking.start()
    began = time.perf_counter()
    asyncio.run(_aggregated(Path(sys.argv[1])))
    seconds = time.perf_counter() - began
    over.set()
    looking.join()
    print(json.dumps({"own": most[0] - before[0], "files": most[1] - before[1], "seconds": seconds}))


if __name__ == "__main__":
    main()
