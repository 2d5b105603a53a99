"""Make the log's topics on a cluster, or see that those it has are fit."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from domain.refusal import Refusal
from eventlog.connection import options, shown
from eventlog.silence import silence
from eventlog.topics import (
    REGIONAL,
    TOPICS,
    Topic,
    check_settings,
    kafka_name,
    regional,
    regional_topics,
    settings,
    topic_named,
)

_log = structlog.get_logger(__name__)
_POLL = 0.05  # seconds between two looks at the cluster's metadata


@dataclass(frozen=True, slots=True)
class Ensured:
    """Kafka's names of the topics that were made just now and of those that stood there."""

    created: tuple[str, ...]
    existing: tuple[str, ...]


async def ensure_topics(
    bootstrap: str,
    prefix: str = "",
    *,
    regions: Iterable[str] = (),
    replication: int = 1,
    deadline: float = 30.0,
) -> Ensured:
    """Create what is missing of `TOPICS`, check the rest, and wait until every partition has a leader.

    Each of the `regions` gets its topics, too; a region exists from then on, and is checked with the rest.

    The number of partitions of a topic that exists is left as it is: another number would send later events
    of a stream to another partition. `deadline` is in seconds, for the whole. Safe to repeat, also at once.

    Raises:
        Refusal: an existing topic would lose history, or the cluster refuses a topic; by name.
        TimeoutError: the cluster did not do it within the deadline.
        ConnectionError: nobody answers at `bootstrap`.
    """
    asked = {regional(family, region) for region in regions for family in REGIONAL}
    admin = AIOKafkaAdminClient(**options(bootstrap), request_timeout_ms=int(deadline * 1000))
    try:
        async with asyncio.timeout(deadline):
            await admin.start()
            there = set(await admin.list_topics())
            wanted = {
                kafka_name(prefix, name): topic_named(name)
                for name in (*TOPICS, *sorted(asked.union(regional_topics(prefix, there))))
            }
            existing = there & wanted.keys()
            missing = {name: topic for name, topic in wanted.items() if name not in existing}
            created = await _create(admin, missing, replication)
            await _led(admin, wanted)
            await _check(admin, [name for name in wanted if name not in created])
    except TimeoutError:
        raise TimeoutError(
            f"Kafka at {shown(bootstrap)} did not make its topics within {deadline:g} s"
        ) from None
    except KafkaError as error:
        raise ConnectionError(silence(bootstrap, error)) from None
    finally:
        await admin.close()
    ensured = Ensured(tuple(created), tuple(name for name in wanted if name not in created))
    _log.info("topics.ensured", created=ensured.created, existing=ensured.existing)
    return ensured


async def _create(admin: Any, missing: dict[str, Topic], replication: int) -> list[str]:
    if not missing:
        return []
    configs = settings(replication)
    answer = await admin.create_topics(
        [NewTopic(name, t.partitions, replication, topic_configs=configs) for name, t in missing.items()]
    )
    created = []
    for name, code, message in answer.topic_errors:
        error = for_code(code)
        if error is NoError:
            created.append(name)
        elif error is not TopicAlreadyExistsError:  # made by another process between our look and our request
            raise Refusal(f"topic {name}", f"the cluster refuses it: {message or error.__name__}")
    return created


async def _led(admin: Any, names: Iterable[str]) -> None:
    """Wait until every partition of the topics has a leader; the caller holds the deadline."""
    while True:
        described = await admin.describe_topics(list(names))
        if all(topic["error_code"] == 0 and _has_leaders(topic["partitions"]) for topic in described):
            return
        await asyncio.sleep(_POLL)


def _has_leaders(partitions: list[dict[str, int]]) -> bool:
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)


async def _check(admin: Any, names: list[str]) -> None:
    if not names:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    for answer in await admin.describe_configs(resources):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise Refusal(f"topic {name}", f"cannot be looked at: {message or for_code(code).__name__}")
            check_settings(name, {entry[0]: entry[1] for entry in entries})
