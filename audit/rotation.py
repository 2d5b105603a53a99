"""Another signing key, announced by a person: with the key before it, or in spite of its loss."""

from audit import announced, published
from audit.checkpoint import OriginOf
from audit.key_chain import KeyChain
from audit.note import VerifierKey
from audit.seal import SplitView
from audit.signing import Change, announce
from domain.refusal import Refusal
from eventlog.reader import LogReader
from eventlog.writer import LogWriter
from projections.fence import Connection, FenceLost


async def known(
    connection: Connection,
    reader: LogReader,
    chain: KeyChain,
    held: VerifierKey,
    origin_of: OriginOf,
) -> KeyChain:
    """Every key that was announced, also where the database does not know it yet; `held` is here, not lost.

    Raises:
        Refusal: the topic of checkpoints and the database contradict each other.
    """
    try:
        contradicted = await _taken_in(connection, reader, chain, held, origin_of)
    except SplitView as split:
        raise Refusal("signing_key", f"{split}: `moot audit verify` first") from None
    if contradicted:
        raise Refusal("signing_key", f"{next(iter(contradicted.values()))}: `moot audit verify` first")
    return chain


async def _taken_in(
    connection: Connection,
    reader: LogReader,
    chain: KeyChain,
    held: VerifierKey,
    origin_of: OriginOf,
) -> dict[tuple[str, int], SplitView]:
    while True:
        await announced.load(connection, chain)
        chain.held = held
        try:
            return await published.take_in(connection, reader, origin_of, chain)
        except FenceLost:
            continue  # a sealer that just starts took it in: it is further now


async def change_to(
    connection: Connection,
    writer: LogWriter,
    chain: KeyChain,
    change: Change,
    origin_of: OriginOf,
) -> None:
    """Announce another key and publish that.

    Raises:
        Refusal: no key was announced before, or it is the one that signs already.
    """
    if chain.current is None:
        raise Refusal("signing_key", "no key is announced yet, so none can be replaced")
    await announce(connection, chain, change, origin_of)
    await announced.publish(connection, writer)
