"""Ports of the embedded servers: chosen once, remembered in the data folder, used again while free."""

import json
import random
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from domain.refusal import Refusal

NAME = "ports.json"
HOST = "127.0.0.1"
TEMPORAL_DEFAULT, UI_DEFAULT = 7233, 8233
# Below the ports that Linux (32768) and macOS (49152) hand to outgoing connections: a free port found here is
# not taken by some client in the moment between our looking and the server's binding.
_RANGE = range(20_000, 32_000)
_TRIES = 200


@dataclass(frozen=True, slots=True)
class Ports:
    """One TCP port on the loopback interface for each listener of the stack."""

    kafka: int
    controller: int
    postgres: int
    temporal: int
    ui: int
    http: int


def settle(data: Path, mode: str, *, temporal_elsewhere: bool = False) -> Ports:
    """The ports for this start.

    Args:
        data: the data folder, where they are remembered.
        mode: `default` puts Temporal on 7233 and its Web UI on 8233; `auto` takes free ports for these too.
        temporal_elsewhere: Temporal runs elsewhere, so its default ports need not be free.

    Raises:
        Refusal: mode is `default` and one of Temporal's ports is taken.
    """
    chosen = _remembered(data)
    for field in fields(Ports):
        if chosen.get(field.name) is None or busy(chosen[field.name]):
            chosen[field.name] = free(set(chosen.values()))
    (data / NAME).write_text(json.dumps(chosen), "utf-8")
    if mode == "default" and not temporal_elsewhere:
        chosen |= {"temporal": TEMPORAL_DEFAULT, "ui": UI_DEFAULT}
        _refuse_busy(chosen)
    return Ports(**chosen)


def free(avoid: set[int] | None = None) -> int:
    """A port on which nothing listens now.

    Raises:
        Refusal: two hundred random ports were all taken.
    """
    for port in random.sample(_RANGE, _TRIES):
        if port not in (avoid or ()) and not busy(port):
            return port
    raise Refusal("ports", f"{_TRIES} ports between {_RANGE.start} and {_RANGE.stop} are all taken")


def busy(port: int) -> bool:
    """Whether something on the loopback interface holds the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # a connection that lingers closed is no holder
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _remembered(data: Path) -> dict[str, int]:
    try:
        stored = json.loads((data / NAME).read_text("utf-8"))
        return {name: int(port) for name, port in stored.items() if name in asdict(Ports(0, 0, 0, 0, 0, 0))}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _refuse_busy(chosen: dict[str, int]) -> None:
    taken = [f"{port} ({what})" for what, port in _temporal_ports(chosen) if busy(port)]
    if taken:
        raise Refusal(
            "ports",
            f"{' and '.join(taken)} in use on {HOST}: stop what listens there, or `moot dev --ports auto`",
        )


def _temporal_ports(chosen: dict[str, int]) -> list[tuple[str, int]]:
    return [("Temporal", chosen["temporal"]), ("its Web UI", chosen["ui"])]
