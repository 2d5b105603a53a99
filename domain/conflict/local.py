"""Level 1: a layer's rule applied to the positions of a case, by whoever owns the entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from domain.causality.hybrid_clock import ZERO
from domain.conflict.case import Case, Position
from domain.conflict.events import RuleApplied
from domain.conflict.levels import Rule
from domain.context.ancestors import NO_ANCESTOR
from domain.context.canonical import canonical
from domain.context.events import Written
from domain.context.rules.conflict import Conflict, Resolution
from domain.context.rules.registry import strategy
from domain.refusal import Refusal
from domain.strict_json import parse


@dataclass(frozen=True, slots=True)
class Task:
    """A rule to apply to the first `heard` positions of `case`."""

    rule: Rule
    case: Case
    heard: int


def apply_rule(task: Task) -> RuleApplied:
    """What the layer's rule makes of what the positions claim; it settles nothing rather than guess.

    A claim that is JSON is taken as that value, any other as text. A position of a case bears no time: which
    of several writes is the last is known to the context alone. So the last writer never wins here, an event
    must state its own time, and a region is preferred, in the order of the case's regions, only where one
    position speaks for it.
    """
    positions = task.case.positions[: task.heard]
    match task.rule:
        case "last_writer_wins":
            return _nothing(task.rule, "the positions bear no time, so that none is known to be the last")
        case "regional_preference":
            return _preferred(task.case, positions)
        case "semantic_merge" | "temporal_merge":
            return _merged(task, positions)
        case _:
            assert_never(task.rule)


def _preferred(case: Case, positions: Iterable[Position]) -> RuleApplied:
    rule: Rule = "regional_preference"
    by_region: dict[str, list[Position]] = {}
    for one in positions:
        by_region.setdefault(one.region or "", []).append(one)
    for region in case.regions:
        if region in by_region:
            first, *others = by_region[region]
            if others:
                return _nothing(rule, f"{1 + len(others)} positions speak for {region}")
            return RuleApplied(rule, first.id, None, f"{region} comes first among the regions of the case")
    return _nothing(rule, "no position speaks for a region of the case")


def _merged(task: Task, positions: tuple[Position, ...]) -> RuleApplied:
    values = {one.id: _value(one.claim) for one in positions}
    writes = tuple(_as_write(task, number, one, values[one.id]) for number, one in enumerate(positions))
    found: Resolution = strategy(task.rule)(Conflict(writes, task.rule, newest=ZERO, ancestor=NO_ANCESTOR))
    if found.resolution is None:
        against = ", ".join(pointer or "the whole value" for pointer in found.contradictions)
        return _nothing(task.rule, f"{found.reason}: {against}")
    said = canonical(found.merged_context)
    choice = next((name for name, value in values.items() if canonical(value) == said), None)
    return RuleApplied(task.rule, choice, None if choice is not None else said, found.reason)


def _value(claim: str) -> Any:
    try:
        return parse(claim)
    except Refusal:
        return claim


def _as_write(task: Task, number: int, position: Position, value: Any) -> Written:
    # One event becomes a list of one, which must state its time: no write's clock stands behind it.
    event = task.rule == "temporal_merge" and isinstance(value, dict)
    return Written(
        layer=task.case.layer,
        key=task.case.id,
        value=[value] if event else value,
        writer=position.party,
        region=position.region or task.case.regions[0],
        node=position.id,
        counter=1,
        wall=len(task.case.positions) - number,
    )


def _nothing(rule: Rule, why: str) -> RuleApplied:
    return RuleApplied(rule, None, None, why)
