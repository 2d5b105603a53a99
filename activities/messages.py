"""Messages of clients to one another, as files by client: what one host's clients get, or answer."""

from collections.abc import Iterable, Mapping

import msgspec
from temporalio import activity

from activities.learning_tasks import Outbox
from activities.ports import ArtifactStore
from activities.privacy.port import Session
from domain.artifact import ArtifactRef
from domain.refusal import Refusal

_read = msgspec.msgpack.Decoder(dict[str, bytes]).decode


async def keep(artifacts: ArtifactStore, messages: Mapping[str, bytes]) -> ArtifactRef:
    """Store messages by client; what is secret in them was encrypted to its reader before."""
    return await artifacts.put(msgspec.msgpack.encode(dict(sorted(messages.items()))))


async def read(artifacts: ArtifactStore, ref: ArtifactRef) -> dict[str, bytes]:
    """The messages of a file, by client.

    Raises:
        Refusal: it is missing, changed or none of messages.
    """
    try:
        return _read(await artifacts.get(ref))
    except msgspec.MsgspecError:
        raise Refusal("messages", f"the artifact {ref.sha256[:12]} holds none") from None


async def answers(artifacts: ArtifactStore, outboxes: Iterable[Outbox]) -> dict[str, bytes]:
    """What hosts answered, each for its own clients; whose answer cannot be read has given none."""
    found: dict[str, bytes] = {}
    for one in outboxes:
        try:
            said = await read(artifacts, one.file)
        except Refusal as refusal:
            activity.logger.warning("messages.unusable", extra={"clients": one.clients, "why": str(refusal)})
        else:
            found |= {client: said[client] for client in one.clients if client in said}
    return found


async def keep_session(artifacts: ArtifactStore, session: Session) -> ArtifactRef:
    """Store what the members of a cohort are told of each other."""
    return await artifacts.put(msgspec.json.encode(session))


async def session_of(artifacts: ArtifactStore, ref: ArtifactRef) -> Session:
    """Read it.

    Raises:
        Refusal: it is missing, changed, or none.
    """
    try:
        return msgspec.json.decode(await artifacts.get(ref), type=Session)
    except msgspec.MsgspecError:
        raise Refusal("session", f"the artifact {ref.sha256[:12]} holds none") from None
