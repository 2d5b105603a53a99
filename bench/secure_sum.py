"""Secure sums in one process, both halves for real: n = 100 by dropouts, and n = 1,000 by shards.

`python -m bench.secure_sum [--clients N] [--large]`. Drops out who masked no update although it had dealt
shares, which costs the aggregator most. A client's time is all its steps together; its bytes are all it sends
and is sent, the session with everybody's identities included, but not the model, which travels in any case.
Journals are in memory: what a disk adds is the disk's.
"""

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import time
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from activities.privacy.primitives import Masks, agree, signed_by
from bench import flower_peer
from bench.figure import Figure
from bench.secure_attempt import NUMBERS, attempt, fleet
from domain.learning.shards import shards

CLIENTS = 100
DROPOUTS = (0.0, 0.1, 0.3)
SERVER_SECONDS = {0.0: 0.05, 0.1: 0.25, 0.3: 0.5}
CLIENT_MS = 40
BYTES_RATIO = 1.1
ROUNDS = 3
FLOWER_CLIENTS = 20
PARTS = ("server", "client", "bytes")


def floor(clients: int = CLIENTS) -> float:
    """Processor seconds of the bare primitives that a client cannot do without, in this run."""
    own, other = X25519PrivateKey.generate(), X25519PrivateKey.generate().public_key().public_bytes_raw()
    signer = Ed25519PrivateKey.generate()
    signature, public = signer.sign(b"keys"), signer.public_key().public_bytes_raw()
    masks = Masks(np.zeros(NUMBERS, np.uint32))
    begun = time.process_time()
    for _ in range(clients - 1):
        signed_by(public, signature, b"keys")
        agree(own, other, "")
        agree(own, other, "")
    for _ in range(clients):
        masks.add(bytes(32))
    return time.process_time() - begun


def hundred(clients: int = CLIENTS) -> list[Figure]:
    """Medians of three attempts for each share of dropouts."""
    keys = fleet([f"client-{n:04}" for n in range(clients)])
    found = [Figure("floor: a client's signatures, keys and masks alone", floor(clients) * 1000, "ms")]
    for dropouts in DROPOUTS:
        runs = [asyncio.run(attempt(keys, dropouts)) for _ in range(ROUNDS)]
        server = statistics.median(sum(run.server.values()) for run in runs)
        busy = statistics.median(run.server_cpu for run in runs)
        last = statistics.median(run.server["sum"] for run in runs)
        client = statistics.median(run.whole_client for run in runs)
        cpu = statistics.median(run.cpu for run in runs)
        ratio = max(runs[0].sent.values()) / (NUMBERS * 4)
        name = f"n={clients}, {dropouts:.0%} dropouts"
        found += [
            Figure(
                f"server, {name}",
                server,
                "s",
                SERVER_SECONDS[dropouts],
                "<=",
                f"the sum alone {last:.3f}, {busy:.3f} of processor",
            ),
            Figure(
                f"client, {name}",
                client * 1000,
                "ms",
                CLIENT_MS,
                "<=",
                f"median client, all its steps; {cpu * 1000:.1f} ms of processor",
            ),
            Figure(
                f"bytes, {name}", ratio, "x plain", BYTES_RATIO, "<=", "both ways, the most of any client"
            ),
        ]
    return found


def thousand(clients: int = 1_000) -> list[Figure]:
    """Every shard after the other, a tenth of each dropping out."""
    keys = fleet([f"client-{n:04}" for n in range(clients)])
    start = time.perf_counter()
    runs = [
        asyncio.run(attempt({client: keys[client] for client in part}, 0.1, number))
        for number, part in enumerate(shards(tuple(keys), 7))
    ]
    whole = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sent = sum(sum(run.sent.values()) for run in runs)
    client = statistics.median(run.whole_client for run in runs)
    return [
        Figure(f"server, n={clients}, 10% dropouts", sum(sum(r.server.values()) for r in runs), "s"),
        Figure(f"client, n={clients}", client * 1000, "ms", note="median client, all its steps"),
        Figure(
            f"bytes, n={clients}, all together",
            sent / 2**20,
            "MiB",
            note=f"{sent / (4 * NUMBERS * clients):.3f} x plain",
        ),
        Figure(
            f"everything, n={clients}, one process", whole, "s", note=f"{len(runs)} shards, clients included"
        ),
        Figure(
            f"peak memory, n={clients}", memory, "MiB", note="the whole process, all clients of a shard in it"
        ),
    ]


def flowers(clients: int) -> list[Figure]:
    """Flower's own SecAgg+, nobody dropping out, beside ours of as many clients."""
    try:
        peer = flower_peer.run("secure_sum.py", str(clients), str(NUMBERS), "0")
    except RuntimeError as error:
        return [flower_peer.no_result("Flower's secure sum", error)]
    if peer is None:
        return [Figure("Flower's secure sum", 0.0, "s", note=flower_peer.ABSENT)]
    keys = fleet([f"client-{n:04}" for n in range(clients)])
    ours = asyncio.run(attempt(keys, 0.0))
    name, said = f"n={clients}, 0% dropouts", {each: float(str(peer.said[each])) for each in PARTS}
    fewer = (
        "" if clients >= CLIENTS else f"; of {CLIENTS} clients it takes minutes: --flower-clients {CLIENTS}"
    )
    own = {
        "server": sum(ours.server.values()),
        "client": ours.whole_client,
        "bytes": max(ours.sent.values()) / (NUMBERS * 4),
    }
    units = {"server": "s", "client": "s", "bytes": "x plain"}
    return [
        Figure(f"Flower's {part}, {name}", said[part], units[part], note=f"ours {own[part]:.4f}{fewer}")
        for part in PARTS
    ]


def figures(flower_clients: int = FLOWER_CLIENTS) -> list[Figure]:
    """What is asked at n = 100, what n = 1,000 takes, and Flower's of fewer clients."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        large = alone.submit(thousand).result()  # its peak of memory must be nobody else's
    return [*hundred(), *large, *flowers(flower_clients)]


if __name__ == "__main__":
    reading = argparse.ArgumentParser(prog="python -m bench.secure_sum")
    reading.add_argument("--clients", type=int, default=CLIENTS)
    reading.add_argument("--large", action="store_true", help="n = 1,000 as well")
    asked = reading.parse_args()
    for figure in hundred(asked.clients) + (thousand() if asked.large else []):
        print(f"{figure.name:42} {figure.value:10.4f} {figure.unit:8} {figure.target or ''} {figure.note}")
