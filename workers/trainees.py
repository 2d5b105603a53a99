"""The clients that a node process trains for: their ids, their data, and what is announced of them."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from activities.learning_ports import LocalData, Trainers
from domain.learning.fleet import Client
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable
from workers.local_data import CLIENT, local_data
from workflows.payloads import read_input

CONDITIONS = "conditions.json"
"""In the node's folder: what holds instead of what the process was started with; read again and again."""
MOST_CLIENTS = 100_000
_ENCRYPTION = "tenseal"  # of the extra `encryption`; looked for, and imported only where it is needed


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the clients of a node are at the moment; null: they do not say."""

    network_mbps: float | None = None
    charging: bool | None = None
    unmetered: bool | None = None


@dataclass(frozen=True, slots=True)
class Training:
    """What a node process was told to train for.

    `data`: where the rows are. `clients`: how many virtual clients share this way to find their rows; None
    for one client, of the node's name. `named`: instead of both, `NAME=DATA` for each client. `trainers`: by
    name; none for all that are installed. `subject`: whose data all of it is. `folder`: of the node; None for
    the usual one. `every`: seconds between two looks at what is announced.
    """

    data: str | None = None
    clients: int | None = None
    named: tuple[str, ...] = ()
    trainers: tuple[str, ...] = ()
    conditions: Conditions = Conditions()
    subject: str | None = None
    folder: Path | None = None
    every: float = 30.0

    @property
    def wanted(self) -> bool:
        return self.data is not None or self.clients is not None or bool(self.named)


def sources(node: str, training: Training) -> dict[str, LocalData]:
    """Each client's data, by the client's id.

    Raises:
        Refusal: the options contradict each other, or data cannot be loaded.
    """
    return {client: local_data(text, client) for client, text in _texts(node, training).items()}


def _texts(node: str, training: Training) -> dict[str, str]:
    if training.data is not None and training.named:
        raise Refusal("--client", "and --data name the same data twice; give one of them")
    if training.data is None and training.clients is not None:
        raise Refusal("--clients", "there is no --data for them; give it, or name each by --client")
    if training.data is not None:
        if training.clients is not None and CLIENT not in training.data and ":" not in training.data:
            raise Refusal(
                "--data", f"is the same rows for every client; write {CLIENT} where their names differ"
            )
        return dict.fromkeys(_virtual(node, training.clients), training.data)
    found: dict[str, str] = {}
    for text in training.named:
        client, equals, data = text.partition("=")
        check_id(client, "--client")
        if not equals or not data or client in found:
            raise Refusal(
                "--client", f"'{printable(text, 60)}' is not NAME=DATA, or that name was given twice"
            )
        found[client] = data
    return found


def _virtual(node: str, clients: int | None) -> Sequence[str]:
    if clients is None:
        return (node,)
    if not 1 <= clients <= MOST_CLIENTS:
        raise Refusal("--clients", f"{clients} is outside 1 to {MOST_CLIENTS}")
    digits = len(str(clients - 1))
    return [f"{node}-{number:0{digits}d}" for number in range(clients)]


def trainers(named: Sequence[str], installed: Trainers) -> tuple[str, ...]:
    """Those named, or, of none, all that are installed here and can be imported.

    Raises:
        Refusal: one that is named is not installed or cannot be imported.
    """
    return tuple(installed.named(name).name for name in named) or installed.names()


def clients(
    found: Mapping[str, LocalData], training: Training, folder: Path, identity: str
) -> tuple[Client, ...]:
    """What is announced now, in the order of the clients' ids; it reads, and so may take its time.

    Raises:
        Refusal: a source offers what cannot be, or the file of conditions is not what it should be.
    """
    now = _conditions(training.conditions, folder / CONDITIONS)
    encrypts = importlib.util.find_spec(_ENCRYPTION) is not None  # once: one process may have 100,000 clients
    return tuple(
        Client(
            id=name,
            data=tuple(found[name].offers()),
            trainers=training.trainers,
            subject=training.subject,
            identity=identity,
            network_mbps=100.0 if now.network_mbps is None else now.network_mbps,
            charging=now.charging,
            unmetered=now.unmetered,
            encrypts=encrypts,
        )
        for name in sorted(found)
    )


def _conditions(started: Conditions, file: Path) -> Conditions:
    try:
        said = read_input(Conditions, file.read_bytes())
    except FileNotFoundError:
        return started
    except Refusal as refusal:
        raise Refusal(str(file), str(refusal)) from None
    return Conditions(
        said.network_mbps if said.network_mbps is not None else started.network_mbps,
        said.charging if said.charging is not None else started.charging,
        said.unmetered if said.unmetered is not None else started.unmetered,
    )
