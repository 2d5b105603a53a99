"""Which node writes, and where its outbox is."""

import asyncio
import os
import secrets
from pathlib import Path

from domain.context.region import check_region
from domain.refusal import Refusal
from domain.stream import check_id
from eventlog.reader import LogReader
from eventlog.topics import regional
from workers.settings import Settings

VARIABLE = "FOLKMOOT_REGION"
_REGION_WITHIN = 10.0  # seconds


def region_of(stated: str | None, setting: str) -> str:
    """The region that a command names, or else the setting.

    Raises:
        Refusal: neither does, or it is no name of a region.
    """
    region = stated or setting
    if not region:
        raise Refusal("region", f"is not named: give --region NAME, or set {VARIABLE}")
    check_region(region)
    return region


def file_of(data: Path, region: str, node: str) -> Path:
    return _folder(data, region) / f"{node}.db"


def node_of(data: Path, region: str, stated: str | None) -> str:
    """The id of the node that writes: the stated one, or this folder's own, made once and kept.

    It is part of every write's dot. A node's outbox counts its writes, so no two outboxes may have one node.

    Raises:
        Refusal: the stated one is no id.
        OSError: the folder cannot be written.
    """
    if stated is not None:
        check_id(stated, "--node")
        return stated
    file = _folder(data, region) / "node"
    if not file.exists():
        _keep(file, f"{region}-{secrets.token_hex(4)}")
    node = file.read_text("ascii").strip()
    check_id(node, str(file))
    return node


def known_node(data: Path, region: str, stated: str | None) -> str | None:
    """As `node_of`, but nothing is made: None where this folder has no node of its own yet."""
    if stated is None and not (_folder(data, region) / "node").exists():
        return None
    return node_of(data, region, stated)


async def check_exists(settings: Settings, region: str) -> None:
    """Ask Kafka before a node's first write: into an outbox of no region much could be written for nothing.

    Raises:
        Refusal: the region does not exist, or Kafka does not say.
    """
    try:
        async with (
            asyncio.timeout(_REGION_WITHIN),
            LogReader(settings.kafka, settings.topic_prefix) as reader,
        ):
            there = await reader.topics()
    except OSError as error:  # a timeout is one
        why = f"whether it exists is asked of Kafka before a node's first write: {error or 'no answer'}"
        raise Refusal("region", why) from None
    if regional("context", region) not in there:
        raise Refusal("region", f"{region} does not exist; `moot migrate --region {region}` makes it")


def _folder(data: Path, region: str) -> Path:
    return data / "context" / region


def _keep(file: Path, node: str) -> None:
    """Of several processes that come at once, one writes; a file half written is never seen."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"node.{os.getpid()}.{secrets.token_hex(4)}")
    with draft.open("x", encoding="ascii") as written:
        written.write(f"{node}\n")
        written.flush()
        os.fsync(written.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
