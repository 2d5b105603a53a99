"""Whether what nodes answered to puts became of them."""

from collections import defaultdict
from collections.abc import Iterator

from domain.context.canonical import same
from domain.context.events import Written
from tests.faults.context_record import Call, History, Key, Region, Violation, named, place_of

_OURS = ("case.", "merge.")
"""How the nodes of writes begin that no call asked for."""


def miswritten(history: History) -> Iterator[Violation]:
    """What was answered is on its region's log, once; what was refused is nowhere.

    `lost`: answered, and not there. `altered`: another value than was put. `doubled`: one put, two writes.
    `refused`: it is there all the same. `invented`: nobody put it.
    """
    puts = [call for call in history.calls if call.kind == "put"]
    asked: dict[tuple[str, Key], list[Call]] = defaultdict(list)
    for put in puts:
        asked[put.node, put.place].append(put)
    found: dict[int, set[str]] = defaultdict(set)
    for region in history.regions:
        own = {one.event: one.write for one in region.log if one.write.region == region.name}
        yield from (_untrue(put, own) for put in puts if _is_wrong(put, region, own))
        for event, write in own.items():
            mine = [put for put in asked[write.node, place_of(write)] if same(put.value, write.value)]
            for put in mine:
                found[id(put)].add(event)
            if not mine and not write.node.startswith(_OURS):
                yield Violation("invented", f"{named(write)} on the log of {region.name}: {write.value!r}")
    for put in puts:
        events = sorted(found[id(put)])
        if len(events) > 1:
            yield Violation("doubled", f"{put.value!r} of {put.node} has the events {events}")
        if put.outcome == "fail" and events:
            yield Violation("refused", f"{put.value!r} of {put.node} is on the log")


def _is_wrong(put: Call, region: Region, own: dict[str, Written]) -> bool:
    if put.outcome != "ok" or put.region != region.name:
        return False
    return put.event not in own or not same(own[put.event].value, put.value)


def _untrue(put: Call, own: dict[str, Written]) -> Violation:
    if put.event in own:
        return Violation("altered", f"{put.value!r} of {put.node} is {own[put.event].value!r}")
    return Violation("lost", f"{put.node} answered {put.value!r} under {put.place}")
