"""A Kafka consumer's start and stop, as they have to be done so that nothing stays open when Kafka goes."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer

from eventlog.connection import options

_CONNECTED_WITHIN = 1.0  # seconds that a start which was given up may take to make its connection


async def start(bootstrap: str, fetch_bytes: int, group: str | None = None) -> Any:
    """A consumer which reads what is committed and never moves its position by itself.

    A `group` is where it may keep offsets; it is no member of it, and shares its partitions with nobody.

    Raises:
        KafkaError: the cluster does not answer.
    """
    consumer = AIOKafkaConsumer(
        **options(bootstrap),
        client_id="folkmoot",
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=fetch_bytes,
        fetch_max_bytes=fetch_bytes,
    )
    starting = asyncio.ensure_future(consumer.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        # aiokafka never closes a connection whose making is cancelled: let it be made first.
        await asyncio.wait([starting], timeout=_CONNECTED_WITHIN)
        await stop(consumer)
        raise
    return consumer


async def stop(consumer: Any) -> None:
    """Close it, in a task of its own.

    While Kafka is away aiokafka awaits fetches that it has just cancelled: its stop ends in the middle, as
    cancelled, and so would whoever awaits it, for no reason that anybody could see.
    """
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        await consumer._client.close()  # noqa: SLF001 # what it left out; it does nothing when called again
    else:
        stopping.result()
