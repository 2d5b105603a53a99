"""The log's topics: their names, what streams they hold, and how they are set so that nothing is lost."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from domain.context.region import REGION, check_region
from domain.refusal import Refusal
from domain.strict_json import printable

# One record, its key and headers, of at most MAX_EVENT_BYTES fits four times.
MAX_BATCH_BYTES = 1024 * 1024
_KAFKA_NAME = re.compile(r"[A-Za-z0-9._-]{0,200}")


@dataclass(frozen=True, slots=True)
class Topic:
    """`name` is logical: Kafka's has the setting's prefix before it. `partitions` is for its creation."""

    name: str
    partitions: int
    holds: str


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("decisions", 4, "deliberations, dockets and conflict cases"),
        Topic("learning", 4, "learning cycles, versions of models and privacy ledgers"),
        Topic("fleet", 1, "the nodes that take part"),
        Topic("checkpoints", 1, "signed Merkle roots of the other topics"),
        Topic("deadletters", 1, "what people decided about parked records"),
    )
}
REGIONAL: dict[str, Topic] = {"context": Topic("context", 4, "the shared context as one region has it")}
"""Topics of which each region has one, `<family>.<region>`; the streams in it name the region first."""
CATEGORIES: dict[str, str] = {
    "consensus": "decisions",
    "docket": "decisions",
    "conflict": "decisions",
    "context": "context",
    "learning": "learning",
    "model": "learning",
    "budget": "learning",
    "fleet": "fleet",
    "checkpoints": "checkpoints",
    "deadletters": "deadletters",
}


def topic_of(stream: str) -> str:
    """The logical topic of a stream, by its category, and by its region where each has a topic.

    Raises:
        Refusal: no topic holds streams of that category, or the stream names no region.
    """
    category, _, name = stream.partition("/")
    if category not in CATEGORIES:
        known = ", ".join(CATEGORIES)
        raise Refusal("stream", f"'{printable(stream, 60)}' is of none of the categories {known}")
    family = CATEGORIES[category]
    return regional(family, name.partition(".")[0]) if family in REGIONAL else family


def streams_begin(topic: str) -> tuple[str, ...]:
    """How the names of the streams begin that `topic_of` says belong to a logical topic."""
    family, _, region = topic.partition(".")
    rest = f"/{region}." if family in REGIONAL else "/"
    return tuple(category + rest for category, home in CATEGORIES.items() if home == family)


def regional(family: str, region: str) -> str:
    """The logical topic of `family` that a region has.

    Raises:
        Refusal: that is no name of a region.
    """
    check_region(region)
    return f"{family}.{region}"


def of_other_regions(keys: Iterable[bytes | None], topic: str) -> frozenset[bytes]:
    """Those of the records' `keys` whose streams belong on the same topic of another region."""
    family, dot, region = topic.partition(".")
    if not dot:
        return frozenset()
    ours = f"{family}/{region}.".encode()
    theirs = f"{family}/".encode()
    return frozenset(
        key for key in keys if key is not None and not key.startswith(ours) and key.startswith(theirs)
    )


def family_of(topic: str) -> str:
    """What a logical topic is one of: `context` for `context.eu`, every other for itself."""
    return topic.partition(".")[0]


def topic_named(name: str) -> Topic:
    """The logical topic of that name, whether its region exists or not.

    Raises:
        Refusal: there is no such topic.
    """
    if name in TOPICS:
        return TOPICS[name]
    if not is_topic(name):
        known = ", ".join([*TOPICS, *(f"{each}.<region>" for each in REGIONAL)])
        raise Refusal("topic", f"'{printable(name, 60)}' is none of {known}")
    return replace(REGIONAL[family_of(name)], name=name)


def is_topic(name: str) -> bool:
    """Whether `topic_named` would take it."""
    family, _, region = name.partition(".")
    return name in TOPICS or (family in REGIONAL and REGION.fullmatch(region) is not None)


def is_sealed(name: str) -> bool:
    """Whether checkpoints vouch for that logical topic; they themselves speak by their signatures."""
    return name != "checkpoints" and is_topic(name)


def regional_topics(prefix: str, kafka_names: Iterable[str]) -> list[str]:
    """The logical topics of regions among the names that a cluster has, in order.

    What another prefix, or a mirror, put before a name of ours makes it none of ours.
    """
    ours = (name.removeprefix(prefix) for name in kafka_names if name.startswith(prefix))
    return sorted(name for name in ours if name not in TOPICS and is_topic(name))


def kafka_name(prefix: str, topic: str) -> str:
    """What Kafka calls a logical topic.

    Raises:
        Refusal: there is no such topic, or the prefix is none that Kafka takes.
    """
    if topic not in TOPICS:
        topic_named(topic)
    if not _KAFKA_NAME.fullmatch(prefix):
        raise Refusal("topic prefix", f"'{printable(prefix, 60)}' is not up to 200 letters, digits, . _ -")
    return prefix + topic


def settings(replication: int) -> dict[str, str]:
    """How a topic is created: nothing is ever deleted, and an acknowledged record lies on a majority."""
    made = {
        "cleanup.policy": "delete",
        "retention.ms": "-1",
        "retention.bytes": "-1",
        "max.message.bytes": str(MAX_BATCH_BYTES),
        "message.timestamp.type": "CreateTime",
        # A workflow's clock may run ahead of the broker's; Kafka 4 would refuse more than an hour.
        "message.timestamp.after.max.ms": str(2**63 - 1),
        "unclean.leader.election.enable": "false",
    }
    return made | ({"min.insync.replicas": str(replication // 2 + 1)} if replication > 1 else {})


def check_settings(name: str, found: Mapping[str, str]) -> None:
    """Refuse an existing topic that would lose history or could not take an event.

    Raises:
        Refusal: the topic and setting, and the command that mends it.
    """
    for key in ("cleanup.policy", "retention.ms", "retention.bytes"):
        if found[key] != settings(1)[key]:
            raise _wrong(name, key, found[key], settings(1)[key], "it would lose history")
    if int(found["max.message.bytes"]) < MAX_BATCH_BYTES:
        key = "max.message.bytes"
        raise _wrong(name, key, found[key], str(MAX_BATCH_BYTES), "it could not take every event")


def _wrong(name: str, key: str, found: str, wanted: str, consequence: str) -> Refusal:
    return Refusal(
        f"topic {name}",
        f"has {key}={printable(found, 40)}, {consequence}: set it with "
        f"`kafka-configs.sh --alter --topic {name} --add-config {key}={wanted}`",
    )
