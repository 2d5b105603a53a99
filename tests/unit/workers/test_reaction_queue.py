"""Keys that wait for a case: one that nobody can read stops no other."""

from structlog.testing import capture_logs

from domain.conflict.coalescing import NO_RECORD
from domain.conflict.reaction import Reaction
from domain.context.residency import Residency
from projections.reaction_queries import Undecided
from workers.reaction_queue import Queue

GOOD = Undecided("context/eu.good", "eu", "situational", "good", "eu-1:1,us-1:1", ())
BAD = GOOD._replace(stream="context/eu.bad", key="bad", version="no id:1,us-1:1")


class Tables:
    async def waiting(self, gone):  # noqa: ARG002 # as the tables are asked
        return [BAD, GOOD]

    async def records(self, keys, gone):  # noqa: ARG002
        return dict.fromkeys(keys, NO_RECORD)


async def test_a_key_whose_version_cannot_be_read_is_told_of_once_and_stops_no_other():
    queue = Queue(Reaction(regions=("eu",)), Residency())
    with capture_logs() as told:
        for _ in range(2):
            queue.spoil()
            await queue.fill(Tables(), ())
            assert [one.found for one in queue.take(5)] == [GOOD]
    assert [(line["event"], line["stream"]) for line in told] == [("reactor.refused", BAD.stream)]
