"""What distributions of the time zone database say: the real input of `moot demo conflict`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from domain.context.commands import PutContext
from domain.context.events import Flag
from domain.strict_json import parse

FOLDER = Path(__file__).parents[1] / "examples" / "timezones"
CONTEXT_POLICY = FOLDER / "context.toml"
CONFLICT_POLICY = FOLDER / "conflict.json"
REGION_OF = {
    "python-tzdata": "python",
    "debian-tzdata": "debian",
    "debian-openjdk": "debian",
    "icu": "icu",
}
"""Which region each writer is in."""
UNASKING = "debian-openjdk"
"""Writes without asking the region's read table, as a node does that cannot reach it."""
READERS = tuple(node for node in REGION_OF if node != UNASKING)
"""One node of each region."""
REGIONS = tuple(dict.fromkeys(REGION_OF.values()))


@dataclass(frozen=True, slots=True)
class Statement:
    """What one distribution says of `key`; `before`: it said so in an earlier release, which all knew."""

    node: str
    layer: str
    key: str
    value: Any
    flags: tuple[Flag, ...] = ()
    before: bool = False
    release: str = ""


def statements() -> list[Statement]:
    """In the order of the file."""
    lines = (FOLDER / "statements.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=Statement) for line in lines]


def put(statement: Statement, key: str) -> PutContext:
    """The write that states it under `key`."""
    return PutContext(statement.layer, key, statement.value, statement.node, statement.flags)


def says() -> dict[str, dict[str, Any]]:
    """Of each disputed key, what the distribution of a region says; a region that does not tell is absent."""
    found: dict[str, dict[str, Any]] = msgspec.json.decode((FOLDER / "votes.json").read_bytes())
    return found


def ballot(said: Any, claims: Mapping[str, str]) -> str | None:
    """The position that claims what was `said`; None, an abstention, where none does."""
    return next((name for name, claim in claims.items() if parse(claim) == said), None)
