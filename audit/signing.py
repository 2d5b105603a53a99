"""Which key signs, and how another comes to: announced once on the log, never exchanged in silence."""

from dataclasses import dataclass
from datetime import UTC, datetime

from audit import key
from audit.checkpoint import Checkpoint, OriginOf
from audit.key_chain import KeyChain
from audit.key_statement import KeyStatement
from audit.note import SigningKey
from domain.refusal import Refusal
from projections import checkpoints, signing_keys
from projections.fence import Connection
from projections.signing_keys import KeyRow

_FIELD = "signing_key"
_LOST = '`moot audit key --lost --as YOU --why "..."` announces another'


def configured(place: str, chain: KeyChain) -> SigningKey:
    """The key at `place`, if it is the one that signed last.

    Raises:
        Refusal: it is missing, unfit or another one; what is known of the right one, and the way out.
    """
    expected = chain.current
    if expected is None:
        raise Refusal(_FIELD, "no key is announced yet: the projector does it when it first seals")
    try:
        found = key.load(place)
    except Refusal as refusal:
        problem = refusal.problem
    else:
        if found.verifier == expected:
            return found
        problem = f"{key.named(place)} holds {found.verifier.short}"
    beside = key.beside(place, expected)
    way = f"move {beside} there" if key.exists(str(beside)) else f"put it back, or {_LOST}"
    raise Refusal(_FIELD, f"{expected.short} signed last, but {problem}; {way}")


@dataclass(frozen=True, slots=True)
class Change:
    """Who is to sign from now on; `old` signs that too, or else `lost` says who states its loss, and why."""

    new: SigningKey
    old: SigningKey | None = None
    lost: str | None = None


async def announce(connection: Connection, chain: KeyChain, change: Change, origin_of: OriginOf) -> KeyRow:
    """Let `change.new` sign; the row is still to be published. No sealer signs while this is settled.

    Raises:
        Refusal: another key was announced at the same time, or it is the one that signs already.
    """
    before = chain.current
    if change.new.verifier == before:
        raise Refusal(_FIELD, f"{change.new.verifier.short} signs already")
    async with connection.transaction():
        await signing_keys.claim(connection)
        if len(await signing_keys.announced(connection)) != len(chain.links):
            raise Refusal(_FIELD, "another key was announced at this moment: look with `moot audit key`")
        ends = tuple(
            Checkpoint(origin_of(row.topic, row.partition), row.size, row.root)
            for row in await checkpoints.ends(connection)
        )
        if ends and before is None:
            raise Refusal(_FIELD, "checkpoints are kept, but no key was announced: use an empty database")
        number = len(chain.links) + 1
        said = KeyStatement(chain.origin, number, change.new.verifier, before, change.lost, ends)
        note = _signed(said.text(), change)
        chain.add(note)
        row = KeyRow(number, note, datetime.now(UTC), published=False)
        await signing_keys.keep(connection, row)
    return row


def _signed(text: str, change: Change) -> str:
    if change.old is None:
        return change.new.sign(text)
    return change.old.sign(text) + change.new.signature(text)
