"""What the rounds came to, of every cycle along a version's lineage, as the log tells it."""

from typing import Any

import msgspec

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.reader import LogReader
from workers.settings import load

AGGREGATED = "learning.round_aggregated.v1"
FIELDS = ("round", "loss", "accuracy", "clients", "drift", "sent_bytes", "raw_bytes", "privacy")


async def of_lineage(found: dict[str, Any], version: str | None) -> list[dict[str, Any]]:
    """The rounds from the first ancestor to `version` (by default the one that serves), oldest first."""
    chain = lineage(found, version or found["active"])
    settings = load(needs=["kafka"])
    rounds: list[dict[str, Any]] = []
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        for one in chain:
            records = await reader.stream(f"learning/{one['cycle']}")
            rounds += [told | {"version": one["version"]} for told in of_records([r.value for r in records])]
    return rounds


def lineage(found: dict[str, Any], version: str | None) -> list[dict[str, Any]]:
    """`version` and its ancestors, the first of them first.

    Raises:
        Refusal: there is no such version.
    """
    by_name = {one["version"]: one for one in found["versions"]}
    if version not in by_name:
        known = ", ".join(list(by_name)[-5:]) or "none"
        name = printable(str(version), 40)
        raise Refusal("--version", f"{found['model']} has no {name}; the newest are {known}")
    chain: list[dict[str, Any]] = []
    at: str | None = version
    while at is not None:
        chain.insert(0, by_name[at])
        at = by_name[at]["parent"]
    return chain


def of_records(values: list[bytes]) -> list[dict[str, Any]]:
    """The rounds that were aggregated, in order; a record that is written twice counts once."""
    rounds: dict[int, dict[str, Any]] = {}
    for value in values:
        try:
            told = msgspec.json.decode(value)
        except msgspec.DecodeError:
            continue  # parked, and named by `moot deadletters list`
        if isinstance(told, dict) and told.get("type") == AGGREGATED:
            data = told["data"]
            rounds.setdefault(data["round"], {name: data.get(name) for name in FIELDS})
    return [rounds[number] for number in sorted(rounds)]
