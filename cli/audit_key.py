"""`moot audit key`: the public key, the keys before it, and how another takes its place."""

import asyncio
from typing import TYPE_CHECKING, Any

import click

from cli.output import emit
from domain.refusal import Refusal
from domain.strict_json import printable

if TYPE_CHECKING:
    from audit.key_chain import KeyChain
    from audit.note import SigningKey
    from audit.signing import Change
    from workers.settings import Settings

SERVERS = ("kafka", "database_url")
EPILOG = """\b
Examples:
  moot audit key
  moot audit key --rotate
  moot audit key --lost --as Ada --why "the host burnt down"
"""


@click.command(epilog=EPILOG)
@click.option("--history", is_flag=True, help="Print every key that was announced, oldest first.")
@click.option("--rotate", is_flag=True, help="Let another key sign from now on; the present one signs that.")
@click.option(
    "--to",
    "place",
    metavar="PLACE",
    help="With --rotate: the new key's file or `command:...`; by default made.",
)
@click.option("--lost", is_flag=True, help="The key that signed last is lost: the configured one goes on.")
@click.option("--as", "who", help="With --lost: who says so.")
@click.option("--why", help="With --lost: how it was lost; it stays on the log.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object or list.")
def key(
    *,
    history: bool,
    rotate: bool,
    place: str | None,
    lost: bool,
    who: str | None,
    why: str | None,
    as_json: bool,
) -> None:
    """Print the verifier key (vkey) of the signing key, which is made if none has signed yet."""
    from workers import settings

    _agree(history=history, rotate=rotate, place=place, lost=lost, said=(who, why))
    found = settings.load(needs=SERVERS if history or rotate or lost else ())
    if history:
        chain = asyncio.run(_announced(found))
        emit(as_json, _links(chain), lambda: "\n".join(_told(chain)) or "no key is announced yet")
        return
    after = ""
    if rotate:
        made, after = asyncio.run(_rotate(found, place))
    elif lost:
        made = asyncio.run(_lose(found, f"{who}: {why}"))
    else:
        made = _own(found)
    verifier = made.verifier
    told = f"{verifier}\n{after}" if after else str(verifier)
    emit(as_json, {"key": str(verifier), "name": verifier.name, "id": verifier.key_id.hex()}, told)


def _agree(
    *, history: bool, rotate: bool, place: str | None, lost: bool, said: tuple[str | None, ...]
) -> None:
    if history + rotate + lost > 1:
        raise click.UsageError("one of --history, --rotate and --lost at a time")
    if place is not None and not rotate:
        raise click.UsageError("--to goes with --rotate")
    if lost != all(said) or any(said) != lost:
        raise click.UsageError("--lost, --as and --why go together")
    for text in said:
        if text and (not text.isprintable() or not text.strip()):
            raise Refusal("--why", f"{printable(text)!r} is not one line of text")


def _own(settings: "Settings") -> "SigningKey":
    """A key that is not there is made only where none signed before."""
    from audit.key import exists, load_or_make

    if not exists(settings.signing_key) and settings.database_url:
        from audit.signing import configured

        chain = asyncio.run(_announced(settings))
        if chain.current is not None:
            return configured(settings.signing_key, chain)
    return load_or_make(settings.signing_key, settings.cluster)


async def _announced(settings: "Settings") -> "KeyChain":
    from audit import announced
    from projections.connection import connect, migrated

    connection = await connect(settings.database_url)
    try:
        with migrated():
            return await announced.load(
                connection, announced.chain_of(settings.cluster, settings.topic_prefix)
            )
    finally:
        await connection.close()


async def _rotate(settings: "Settings", place: str | None) -> tuple["SigningKey", str]:
    from audit import key as keys
    from audit.note import SigningKey
    from audit.signing import Change, configured

    old = configured(settings.signing_key, await _announced(settings))
    if place is not None:
        new = keys.load_or_make(place, settings.cluster)
        await _change(settings, Change(new, old))
        return (
            new,
            "set FOLKMOOT_SIGNING_KEY to its place, and start the projector anew: it seals nothing now",
        )
    new = SigningKey.generate(settings.cluster)
    keys.prepare(settings.signing_key, new)
    await _change(settings, Change(new, old))
    return new, f"the old key is kept at {keys.put(settings.signing_key, old, new)}"


async def _lose(settings: "Settings", statement: str) -> "SigningKey":
    from audit.key import load_or_make
    from audit.signing import Change

    new = load_or_make(settings.signing_key, settings.cluster)
    await _change(settings, Change(new, lost=statement))
    return new


async def _change(settings: "Settings", change: "Change") -> None:
    from audit import announced, rotation
    from audit.checkpoint import origins
    from cli.audit_link import connected
    from eventlog.writer import LogWriter

    origin_of = origins(settings.cluster, settings.topic_prefix)
    async with (
        connected(settings) as (pool, reader),
        LogWriter(settings.kafka, settings.topic_prefix) as writer,
        pool.acquire() as connection,
    ):
        chain = announced.chain_of(settings.cluster, settings.topic_prefix)
        held = (change.old or change.new).verifier
        await rotation.known(connection, reader, chain, held, origin_of)
        await rotation.change_to(connection, writer, chain, change, origin_of)


def _links(chain: "KeyChain") -> list[dict[str, Any]]:
    return [
        {
            "number": link.statement.number,
            "key": str(link.statement.key),
            "joined": link.joined,
            "lost": link.statement.lost,
            "ends": {end.origin: end.size for end in link.statement.ends},
        }
        for link in chain.links
    ]


def _told(chain: "KeyChain") -> list[str]:
    lines = []
    for link in chain.links:
        how = "signed by the key before it" if link.joined else "the first"
        if link.statement.lost is not None:
            how = f"the key before it was lost, says {printable(link.statement.lost, 300)}"
        lines.append(f"{link.statement.number}  {link.statement.key}  {how}")
    return lines
