"""Topics keep history, and a stream lies where any Kafka client would look for it."""

import pytest
from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from domain.context.events import stream_of
from domain.refusal import Refusal
from eventlog.partitioning import LONGEST_KEY, murmur2, partition_of, partitions_of, stray, strays
from eventlog.topics import (
    CATEGORIES,
    MAX_BATCH_BYTES,
    REGIONAL,
    TOPICS,
    check_settings,
    family_of,
    is_sealed,
    is_topic,
    kafka_name,
    of_other_regions,
    regional,
    regional_topics,
    settings,
    streams_begin,
    topic_named,
    topic_of,
)


@pytest.mark.parametrize(
    ("data", "expected"),
    # from Kafka's own org.apache.kafka.common.utils.UtilsTest
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_that_of_kafkas_java_clients(data, expected):
    assert murmur2(data) == expected % 2**32


@given(st.binary(max_size=80))
def test_murmur2_is_that_of_aiokafka(data):
    assert murmur2(data) == reference(data)


@pytest.mark.parametrize(
    "stream", ["consensus/4", "context/eu.immediate.a", "context/eu-1.immediate.a", "conflict/c"]
)
def test_how_the_streams_of_a_topic_begin_is_what_puts_them_there(stream):
    for topic in (*TOPICS, "context.eu", "context.eu-1"):
        assert stream.startswith(streams_begin(topic)) == (topic_of(stream) == topic)


@given(st.text(min_size=1), st.integers(1, 50))
def test_a_stream_has_one_partition_of_those_there_are(stream, partitions):
    assert 0 <= partition_of(stream.encode(), partitions) < partitions


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=60), st.integers(1, 50))
def test_keys_hashed_together_lie_where_each_lies_alone(keys, partitions):
    assert partitions_of(keys, partitions) == [partition_of(key, partitions) for key in keys]


@pytest.mark.parametrize("many", [10, 500], ids=["one by one", "together"])
def test_a_record_in_another_partition_than_its_keys_is_a_stray(many):
    keys = [f"consensus/{number}".encode() for number in range(many)]
    here = {key for key in keys if partition_of(key, 4) == 2}
    assert 0 < len(here) < many
    assert strays([*keys, *keys, None, b"x" * (LONGEST_KEY + 1)], 2, 4) == {*keys} - here
    assert strays(here, 2, 4) == strays(keys, 0, 1) == frozenset()


def test_what_is_said_of_a_stray_names_both_partitions():
    belongs = partition_of(b"consensus/1", 4)
    assert stray(b"consensus/1", 3, 4) == (
        f"lies in partition 3, but its key belongs to partition {belongs} of 4"
    )


def test_every_category_has_its_topic():
    assert set(CATEGORIES.values()) <= {*TOPICS, *REGIONAL}
    assert topic_of("consensus/42") == topic_of("docket/42") == topic_of("conflict/42") == "decisions"


def test_a_key_of_the_context_lies_on_the_topic_of_the_region_whose_copy_it_is():
    stream = stream_of("eu-north", "cultural", "greeting")
    assert topic_of(stream) == regional("context", "eu-north") == "context.eu-north"
    assert topic_named("context.eu-north").name == "context.eu-north"
    assert topic_named("context.eu-north").partitions == REGIONAL["context"].partitions
    assert (family_of("context.eu-north"), family_of("decisions")) == ("context", "decisions")
    assert kafka_name("prod.", "context.eu-north") == "prod.context.eu-north"


@pytest.mark.parametrize("stream", ["context/", "context/EU.cultural.aa", "context/.cultural.aa"])
def test_a_stream_of_the_context_without_a_region_has_no_topic(stream):
    with pytest.raises(Refusal, match="region"):
        topic_of(stream)


@pytest.mark.parametrize(
    "name", ["context", "context.", "context.EU", "context.eu.1", "fleet.eu", "context.eu\n"]
)
def test_no_other_name_is_a_topic(name):
    assert not is_topic(name)
    with pytest.raises(Refusal, match=r"none of decisions, .*, context\.<region>"):
        topic_named(name)


def test_every_topic_but_that_of_the_checkpoints_is_sealed():
    sealed = ("decisions", "fleet", "deadletters", "context.eu")
    assert [name for name in (*sealed, "checkpoints", "context", "others") if is_sealed(name)] == [*sealed]


def test_the_regions_of_a_cluster_are_the_topics_that_it_has():
    names = ["context.us", "context.eu", "decisions", "context", "eu.context.eu", "context.EU", "a.context.x"]
    assert regional_topics("", names) == ["context.eu", "context.us"]
    assert regional_topics("a.", names) == ["context.x"]
    assert regional_topics("b.", names) == []


def test_the_longest_names_together_are_one_that_kafka_takes():
    assert len(kafka_name("p" * 200, regional("context", "r" * 40))) <= 249


@pytest.mark.parametrize("stream", ["", "x", "decisions/1", "consensus\x1b/1"])
def test_a_stream_of_no_category_is_refused(stream):
    with pytest.raises(Refusal, match="is of none of the categories consensus, docket") as refused:
        topic_of(stream)
    assert str(refused.value).isprintable()


def test_kafkas_name_has_the_prefix_before_it():
    assert kafka_name("prod.", "decisions") == "prod.decisions"


@pytest.mark.parametrize(
    ("prefix", "topic"), [("", "decision"), ("a b", "decisions"), ("x" * 201, "decisions")]
)
def test_a_name_that_kafka_would_not_take_is_refused(prefix, topic):
    with pytest.raises(Refusal):
        kafka_name(prefix, topic)


def test_a_topic_is_made_to_keep_everything():
    made = settings(1)
    assert (made["cleanup.policy"], made["retention.ms"], made["retention.bytes"]) == ("delete", "-1", "-1")
    assert "min.insync.replicas" not in made


@pytest.mark.parametrize(("replication", "in_sync"), [(2, "2"), (3, "2"), (5, "3")])
def test_what_is_acknowledged_lies_on_a_majority(replication, in_sync):
    assert settings(replication)["min.insync.replicas"] == in_sync


def test_a_topic_with_our_settings_is_fit():
    check_settings("decisions", settings(1))


@pytest.mark.parametrize(
    ("key", "value", "consequence"),
    [
        ("cleanup.policy", "compact", "lose history"),
        ("cleanup.policy", "compact,delete", "lose history"),
        ("retention.ms", "604800000", "lose history"),
        ("retention.bytes", "1073741824", "lose history"),
        ("max.message.bytes", str(MAX_BATCH_BYTES - 1), "could not take every event"),
    ],
)
def test_a_topic_that_would_lose_history_is_refused_with_the_way_out(key, value, consequence):
    with pytest.raises(Refusal) as refused:
        check_settings("prod.decisions", settings(1) | {key: value})
    assert f"topic prod.decisions: has {key}={value}, it {consequence.replace('lose', 'would lose')}" in str(
        refused.value
    )
    assert f"--add-config {key}={settings(1)[key]}" in str(refused.value)


def test_keys_of_other_regions_are_found_and_no_others():
    keys = [
        b"context/eu.immediate.aa",
        b"context/eu-1.immediate.aa",
        b"context/us.immediate.aa",
        b"docket/1",
        None,
    ]
    assert of_other_regions(keys, "context.eu") == {keys[1], keys[2]}
    assert of_other_regions(keys, "decisions") == frozenset()
