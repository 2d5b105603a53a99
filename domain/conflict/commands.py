"""What may be asked of a case: commands that refuse what they cannot mean, field by field."""

import math
from dataclasses import dataclass, field

from domain.conflict.case import Case, ContextKey, Evidence, Kind, Layer, Position
from domain.conflict.events import Ground
from domain.conflict.levels import initial_level
from domain.conflict.matter import MAX_POSITIONS, MAX_TEXT, check_distinct, check_matter
from domain.conflict.policy import ConflictPolicy
from domain.consensus.commands import (
    MAX_NAME,
    MAX_REASON,
    MAX_REGION,
    Voter,
    check_texts,
    check_words,
)
from domain.context.commands import MAX_KEY
from domain.refusal import Refusal
from domain.stream import check_id

MAX_CASE_ID = 100
"""So that the ids of its deliberations, made of it, are ids as well."""
MAX_OTHERS = 100
MAX_REGIONS = 50
MAX_MEMBERS = 5_000
MAX_QUESTION = 1_600


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Bring a conflict: one JSON object, of which `id`, `regions` and two positions have no default.

    `regions` names the home region first. `others` are parties without a position. `members` are the
    candidates for every panel. `level` begins at another level than the decision table says. `node` owns the
    entry: level 1 is asked of it.
    """

    id: str
    regions: tuple[str, ...]
    positions: tuple[Position, ...]
    question: str = "Which position holds?"
    kind: Kind = "concurrent_write"
    layer: Layer = "situational"
    severity: float = 0.5
    critical: bool = False
    evidence: tuple[Evidence, ...] = ()
    others: tuple[str, ...] = ()
    topic: str = "general"
    context: ContextKey | None = None
    members: tuple[Voter, ...] = ()
    policy: ConflictPolicy = field(default_factory=ConflictPolicy)
    level: int | None = None
    node: str | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        if len(self.id) > MAX_CASE_ID:
            raise Refusal("id", f"{len(self.id)} characters are too many, at most {MAX_CASE_ID}")
        if not math.isfinite(self.severity) or not 0 <= self.severity <= 1:
            raise Refusal("severity", f"{self.severity} is outside 0 to 1")
        check_words("question", self.question, MAX_QUESTION)
        check_words("topic", self.topic, MAX_NAME)
        if not self.regions:
            raise Refusal("regions", "none given; name the home region first")
        check_texts("regions", self.regions, MAX_REGIONS, MAX_REGION)
        check_distinct("regions", self.regions, "a region")
        if len(self.positions) < 2:  # noqa: PLR2004 # fewer than two are no conflict
            raise Refusal("positions", f"{len(self.positions)} given, 2 to {MAX_POSITIONS} are needed")
        if self.node is not None:
            check_id(self.node, "node")
        _check_parties(self.others)
        _check_context(self.context, self.layer)
        if len(self.members) > MAX_MEMBERS:
            raise Refusal("members", f"{len(self.members)} given, at most {MAX_MEMBERS} are read")
        check_distinct("members", (one.id for one in self.members), "a member")
        check_matter(self.positions, self.evidence)
        initial_level(self.case, self.level)

    @property
    def case(self) -> Case:
        return Case(
            id=self.id,
            question=self.question,
            kind=self.kind,
            layer=self.layer,
            regions=self.regions,
            severity=float(self.severity),
            critical=self.critical,
            positions=self.positions,
            evidence=self.evidence,
            others=self.others,
            topic=self.topic,
            context=self.context,
        )


@dataclass(frozen=True, slots=True)
class GrowCase:
    """Further positions on the matter of an open case; their ids and pieces are checked against it."""

    positions: tuple[Position, ...]
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Appeal:
    """A party takes the ruling that stands to the next level."""

    party: str
    grounds: str

    def __post_init__(self) -> None:
        check_id(self.party, "party")
        check_words("grounds", self.grounds, MAX_REASON)


@dataclass(frozen=True, slots=True)
class GiveVerdict:
    """A person decides: the id of a position that level 4 heard."""

    verdict: str
    reason: str
    person: str

    def __post_init__(self) -> None:
        check_words("verdict", self.verdict, MAX_NAME)
        check_words("reason", self.reason, MAX_REASON)
        check_words("person", self.person, MAX_NAME)


@dataclass(frozen=True, slots=True)
class AskAnnulment:
    """A party attacks a ruling of level 4 on one of the five grounds."""

    party: str
    ground: Ground
    statement: str

    def __post_init__(self) -> None:
        check_id(self.party, "party")
        check_words("statement", self.statement, MAX_TEXT)


def _check_parties(others: tuple[str, ...]) -> None:
    if len(others) > MAX_OTHERS:
        raise Refusal("others", f"{len(others)} given, at most {MAX_OTHERS}")
    for index, party in enumerate(others):
        check_id(party, f"others[{index}]")


def _check_context(context: ContextKey | None, layer: Layer) -> None:
    if context is None:
        return
    check_words("context.key", context.key, MAX_KEY)
    if context.region is not None:
        check_words("context.region", context.region, MAX_REGION)
    if context.layer != layer:
        raise Refusal("context.layer", f"{context.layer} is not the layer of the case, {layer}")
