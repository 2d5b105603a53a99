"""The commands that make and check proofs: checkpoint, prove, check."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import emit, say
from domain.refusal import Refusal

if TYPE_CHECKING:
    from audit.prove import Proved
    from projections.checkpoints import CheckpointRow
    from workers.settings import Settings

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object or list.")
MOST_LEAF_BYTES = 1 << 20


@click.command(epilog="\b\nExample:\n  moot audit checkpoint --topic decisions --partition 0")
@click.option("--topic", help="Only this topic's.")
@click.option("--partition", type=int, help="Only this partition's.")
@JSON
def checkpoint(topic: str | None, partition: int | None, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Print the newest published checkpoint of every log, as signed notes with an empty line between."""
    from workers import settings

    rows = [
        row
        for row in asyncio.run(_newest(settings.load(needs=("kafka", "database_url"))))
        if topic in (None, row.topic) and partition in (None, row.partition)
    ]
    if not rows:
        raise Refusal("checkpoint", "none is published yet: the projector seals what is written")
    data = [
        {
            "topic": row.topic,
            "partition": row.partition,
            "size": row.size,
            "root": row.root.hex(),
            "sealed_at": row.sealed_at.isoformat(),
            "note": row.note,
        }
        for row in rows
    ]
    emit(as_json, data, "\n".join(row.note for row in rows).removesuffix("\n"))


async def _newest(settings: "Settings") -> list["CheckpointRow"]:
    from cli.audit_link import connected
    from eventlog.topics import SEALED
    from projections import checkpoints

    async with connected(settings) as (pool, reader), pool.acquire() as connection:
        found = [
            await checkpoints.newest(connection, topic, partition, published=True)
            for topic in SEALED
            for partition in await reader.partitions(topic)
        ]
    return [row for row in found if row is not None]


@click.command(epilog="\b\nExample:\n  moot audit prove 01a1fee4-ab8c-7c35-8d12-9e258adf9e9d -o decision")
@click.argument("event_id")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="FILE, without an ending."
)
@JSON
def prove(event_id: str, output: Path, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Write FILE.tlog-proof and FILE.leaf, the event's raw bytes.

    They prove offline, with the public key, that the event is on the log.
    """
    from workers import settings

    proved = asyncio.run(_prove(settings.load(needs=("kafka", "database_url")), event_id))
    proof, leaf = (output.with_name(f"{output.name}.{ending}") for ending in ("tlog-proof", "leaf"))
    leaf.write_bytes(proved.record.value)
    proof.write_bytes(proved.proof.encode())
    record, size = proved.record, proved.checkpoint.size
    data = {
        "event": event_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "index": proved.proof.index,
        "size": size,
        "proof": str(proof),
        "leaf": str(leaf),
    }
    place = f"{record.topic}/{record.partition} offset {record.offset}"
    emit(as_json, data, f"{place} is leaf {proved.proof.index} of {size}: {proof} and {leaf}")


async def _prove(settings: "Settings", event_id: str) -> "Proved":
    from audit.prove import prove as make
    from cli.audit_link import connected

    async with connected(settings) as (pool, reader):
        return await make(
            pool, reader, event_id, waiting=lambda: say("waiting for a checkpoint that covers the event")
        )


@click.command(epilog='\b\nExample:\n  moot audit check decision.tlog-proof --key "$(moot audit key)"')
@click.argument("proof", type=click.Path(path_type=Path))
@click.option("--key", "key_text", required=True, metavar="VKEY", help="As `moot audit key` prints it.")
@click.option("--leaf", type=click.Path(path_type=Path), help="The raw bytes; by default beside the proof.")
@JSON
def check(proof: Path, key_text: str, leaf: Path | None, as_json: bool) -> None:  # noqa: FBT001 # click's flag
    """Check a proof with nothing but its two files and the public key."""
    from audit.note import VerifierKey
    from audit.proof_file import MAX_PROOF_BYTES, Proof

    key = VerifierKey.parse(key_text)
    parsed = Proof.parse(_read(proof, "proof", MAX_PROOF_BYTES))
    value = _read(leaf or proof.with_suffix(".leaf"), "leaf", MOST_LEAF_BYTES)
    sealed = parsed.check(value, [key])
    data = {
        "origin": sealed.origin,
        "size": sealed.size,
        "index": parsed.index,
        "key": key.name,
        **_event(value),
    }
    what = (
        f"event {data['event']} ({data['type']}, {data['stream']} version {data['version']})"
        if data["event"]
        else "a record that is no event"
    )
    emit(
        as_json,
        data,
        f"{what} is leaf {parsed.index} of {sealed.size} of {sealed.origin}, signed by {key.name}",
    )


def _event(value: bytes) -> dict[str, Any]:
    from eventlog.codec import peek

    heading = peek(value)
    if heading is None:
        return {"event": None, "type": None, "stream": None, "version": None}
    return {
        "event": heading.id,
        "type": heading.type,
        "stream": heading.stream,
        "version": heading.version,
    }


def _read(path: Path, what: str, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise Refusal(what, f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > most:
        raise Refusal(what, f"{path} has more than {most} bytes")
    return raw
