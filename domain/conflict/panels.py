"""Who sits: nobody twice in one case, no party ever, drawn so that anyone can draw again."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.conflict.case import Case
from domain.conflict.events import Candidates, Member
from domain.conflict.levels import ANNULMENT_SEATS, FINAL, Level
from domain.consensus.commands import Voter
from domain.consensus.panel import draw_panel
from domain.consensus.policy import MAX_SEED, Policy
from domain.refusal import Refusal

ANNULMENT = "annulment"


@dataclass(frozen=True, slots=True)
class Draw:
    """A panel in the order of its draw, out of `candidates` who may sit.

    `shortage` says why there is none, or, for level 4 only, how many seats stay empty.
    """

    panel: tuple[Member, ...]
    candidates: int
    shortage: str = ""


def may_sit(members: Sequence[Voter], case: Case, sat: Collection[str]) -> list[Voter]:
    """The members who are no party, run on no party's node, and have had no seat in the case."""
    barred = {*case.parties, *sat}
    known = {member.id: member for member in members}
    return [member for member in known.values() if member.id not in barred and member.node not in barred]


def draw_level(level: Level, case: Case, members: Sequence[Voter], sat: Collection[str], seed: int) -> Draw:
    """The panel of `level`, which has seats.

    Level 2 sits from the case's home region, level 3 from at least two regions without a stake, level 4
    from everywhere; a level 4 that cannot fill its seats sits with whoever is left.
    """
    free = may_sit(members, case, sat)
    if level.number == FINAL:
        chosen = _drawn(free, min(level.seats, len(free)), case, seed_of(case.id, level.number, seed))
        short = f"everyone who may sit: {len(chosen)} of {level.seats} seats"
        return Draw(_seated(chosen), len(free), short if len(chosen) < level.seats else "")
    home = case.regions[0]
    if level.regions == 1:
        free = [one for one in free if one.region == home]
    else:
        free = [one for one in free if one.region is not None and one.region not in case.all_regions]
    found = len({one.region for one in free})
    if len(free) < level.seats or found < level.regions:
        return Draw((), len(free), _shortage(level, len(free), found, home))
    chosen = _spread(free, level, case, seed_of(case.id, level.number, seed))
    return Draw(_seated(chosen), len(free))


def draw_annulment(
    case: Case, members: Sequence[Voter], sat: Collection[str], attempt: int, seed: int
) -> Draw:
    """Three new members for the `attempt`-th annulment asked of this case (ICSID Convention, Art. 52(3))."""
    free = may_sit(members, case, sat)
    if len(free) < ANNULMENT_SEATS:
        return Draw((), len(free), f"{len(free)} new members may sit, {ANNULMENT_SEATS} are needed")
    chosen = _drawn(free, ANNULMENT_SEATS, case, seed_of(case.id, f"{ANNULMENT}-{attempt}", seed))
    return Draw(_seated(chosen), len(free))


def seed_of(case: str, part: str | int, seed: int) -> int:
    """The seed of one draw: the head of SHA-256(seed, case, part), in 0..2^63-1."""
    lot = hashlib.sha256(f"{seed}:{case}:{part}".encode()).digest()
    return int.from_bytes(lot[:8], "big") & MAX_SEED


def candidates(members: Sequence[Voter], topic: str) -> tuple[Candidates, ...]:
    """What of the members chooses a panel, as the log keeps it: the order is no part of it."""
    groups: dict[tuple[str | None, str | None, bool], list[str]] = {}
    for one in members:
        groups.setdefault((one.region, one.node, topic in one.expertise), []).append(one.id)
    return tuple(Candidates(tuple(voters), *group) for group, voters in groups.items())


def members_of(groups: Sequence[Candidates], topic: str) -> list[Voter]:
    """The members as a draw needs them; what they vote, and how, is not among it."""
    return [
        Voter(
            voter,
            "reasoner" if group.node is not None else "recorded",
            group.region,
            (topic,) if group.expert else (),
            node=group.node,
        )
        for group in groups
        for voter in group.voters
    ]


def voters_of(panel: Sequence[Member], members: Sequence[Voter]) -> tuple[Voter, ...]:
    """The members who sit, as the deliberation needs them, in the order of the panel.

    Raises:
        Refusal: one who was drawn is not among `members`.
    """
    known: Mapping[str, Voter] = {member.id: member for member in members}
    gone = [member.voter for member in panel if member.voter not in known]
    if gone:
        raise Refusal("members", f"{gone[0]} was drawn, but is not among the members any more")
    return tuple(known[member.voter] for member in panel)


def _shortage(level: Level, members: int, regions: int, home: str) -> str:
    if level.regions == 1:
        return f"{members} members of region {home} may sit, {level.seats} are needed"
    needed = f"{level.seats} in {level.regions} are needed"
    return f"{members} members in {regions} other regions may sit, {needed}"


def _spread(free: Sequence[Voter], level: Level, case: Case, seed: int) -> list[Voter]:
    """The draw; where all of it is from one region and two are needed, another's first gets the last seat."""
    chosen = _drawn(free, level.seats, case, seed)
    if len({one.region for one in chosen}) < level.regions:
        others = [one for one in free if one.region != chosen[0].region]
        chosen[-1:] = _drawn(others, 1, case, seed)
    return chosen


def _drawn(free: Sequence[Voter], seats: int, case: Case, seed: int) -> list[Voter]:
    if not seats:
        return []
    known = {member.id: member for member in free}
    policy = Policy(panel_size=seats, max_rounds=1, seed=seed)
    return [known[seat.voter] for seat in draw_panel(free, policy, case.topic, None)]


def _seated(chosen: Sequence[Voter]) -> tuple[Member, ...]:
    return tuple(Member(one.id, one.region) for one in chosen)
