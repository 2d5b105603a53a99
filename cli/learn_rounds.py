"""What the rounds came to, of every cycle along a version's lineage, as readers of the log have it."""

from dataclasses import asdict
from typing import Any

from audit.decisions import stream_events
from domain.learning.events import RoundAggregated
from domain.refusal import Refusal
from domain.stream import learning_stream
from domain.strict_json import printable
from eventlog.reader import LogReader
from workers.settings import load

FIELDS = ("round", "loss", "accuracy", "clients", "drift", "sent_bytes", "raw_bytes", "privacy")


async def of_lineage(found: dict[str, Any], version: str | None) -> list[dict[str, Any]]:
    """The rounds from the first ancestor to `version` (by default the one that serves), oldest first."""
    chain = lineage(found, version or found["active"])
    settings = load(needs=["kafka"])
    rounds: list[dict[str, Any]] = []
    async with LogReader(settings.kafka, settings.topic_prefix) as reader:
        for one in chain:
            rounds += [told | {"version": one["version"]} for told in await of_cycle(reader, one["cycle"])]
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


async def of_cycle(reader: LogReader, cycle: str) -> list[dict[str, Any]]:
    """The rounds that became a model, in order; none of a cycle of which the log has nothing to apply."""
    try:
        events = await stream_events(reader, learning_stream(cycle))
    except Refusal:
        return []
    told = (asdict(event.data) for event in events if isinstance(event.data, RoundAggregated))
    return [{name: one[name] for name in FIELDS} for one in told]
