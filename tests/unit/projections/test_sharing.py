"""What is read once and folded by two: nothing is lost, nothing is doubled, and no stream is torn apart."""

from hypothesis import given
from hypothesis import strategies as st

from eventlog.record import RawRecord
from projections import sharing
from projections.sharing import Shared

KEYS = st.none() | st.sampled_from([f"consensus/{number}".encode() for number in range(20)])


class Log:
    """Records in batches of any size."""

    def __init__(self, records):
        self._records = records

    async def batches(self, topic, partition, start, end, max_records, *, after=None):
        assert (topic, partition, start, end, after) == ("decisions", 0, 0, 9, b"leaf")
        for first in range(0, len(self._records), max_records):
            yield self._records[first : first + max_records]


async def parted(records):
    given_on = []

    async def give(records):
        given_on.append([*records])

    shared = Shared(Log(records), give)
    kept = [batch async for batch in shared.batches("decisions", 0, 0, 9, 2, after=b"leaf")]
    return kept, given_on


@given(st.lists(KEYS, max_size=60))
async def test_every_record_goes_one_way_in_order_and_each_stream_as_a_whole(keys):
    records = [RawRecord("decisions", 0, offset, 0, key, b"{}") for offset, key in enumerate(keys)]
    kept, given_on = await parted(records)
    assert given_on.pop() == []  # the end is told, and once
    assert [] not in kept + given_on
    ways = [[record for batch in way for record in batch] for way in (kept, given_on)]
    assert sorted(ways[0] + ways[1], key=lambda record: record.offset) == records
    assert all(way == sorted(way, key=lambda record: record.offset) for way in ways)
    assert not {record.key for record in ways[0]} & {record.key for record in ways[1]}


async def test_the_reader_keeps_the_smaller_share():
    keys = [f"consensus/{number}".encode() for number in range(8_000)]
    kept, _ = await parted([RawRecord("decisions", 0, n, 0, key, b"") for n, key in enumerate(keys)])
    assert 2_700 < sum(map(len, kept)) < 3_300


@given(
    st.lists(
        st.builds(RawRecord, st.text(), st.integers(0), st.integers(0), st.integers(), KEYS, st.binary())
    )
)
def test_what_is_handed_over_arrives_as_it_was(records):
    in_64_bits = [r for r in records if max(abs(r.partition), abs(r.offset), abs(r.timestamp_ms)) < 2**63]
    assert sharing.from_bytes(sharing.to_bytes(in_64_bits)) == in_64_bits
