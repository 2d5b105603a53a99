"""What may be asked of a deliberation: commands that refuse what they cannot mean, field by field."""

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from domain.consensus.policy import MAX_PANEL, MAX_ROUNDS, Policy
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import CONTROL, printable

VoterKind = Literal["recorded", "external", "reasoner"]

MAX_QUESTION = 8_000
MAX_OPTION = 1_000
MAX_OPTIONS = 100
MAX_REASON = 2_000
MAX_REFERENCES = 200
MAX_NAME = 200
MAX_REGION = 64
MAX_OPTIONS_BYTES = 16_000
"""All options together, in UTF-8: a closed round names each of them up to three times in one event."""


@dataclass(frozen=True, slots=True)
class RecordedBallot:
    """A ballot that was given before the deliberation began."""

    choice: str | None
    round: int = 1
    confidence: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.round <= MAX_ROUNDS:
            raise Refusal("round", f"{self.round} is outside 1 to {MAX_ROUNDS}")
        check_ballot(self.choice, self.confidence, self.reason)


@dataclass(frozen=True, slots=True)
class Voter:
    """A candidate for the panel.

    `recorded` voters bring their `ballots`; `external` ones (people, agents) cast them by an update; a
    `reasoner` is asked on the task queue of its `node`.
    """

    id: str
    kind: VoterKind = "recorded"
    region: str | None = None
    expertise: tuple[str, ...] = ()
    weight: float = 1.0
    node: str | None = None
    ballots: tuple[RecordedBallot, ...] = ()

    def __post_init__(self) -> None:
        check_id(self.id)
        if not math.isfinite(self.weight) or not 0 < self.weight <= 1e9:  # noqa: PLR2004 # a bound that sums exactly
            raise Refusal("weight", f"{self.weight} is not above 0 and at most 1e9")
        if self.kind != "recorded" and self.ballots:
            raise Refusal("ballots", f"a voter of kind {self.kind} brings none; use kind recorded")
        if self.kind == "reasoner":
            check_id(self.node or "", "node")
        elif self.node is not None:
            raise Refusal("node", f"a voter of kind {self.kind} has none; only a reasoner runs on a node")
        _check_region(self.region)
        check_texts("expertise", self.expertise, MAX_REFERENCES, MAX_NAME)
        _distinct("ballots", (b.round for b in self.ballots), "a round")


@dataclass(frozen=True, slots=True)
class OpenDeliberation:
    """Put a question to a panel. `case`: named by the conflict case that holds it, by nobody else."""

    id: str
    question: str
    options: tuple[str, ...]
    voters: tuple[Voter, ...]
    topic: str = "general"
    region: str | None = None
    context: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)
    case: str | None = None

    def __post_init__(self) -> None:
        check_id(self.id)
        if self.case is not None:
            check_id(self.case, "case")
        check_words("question", self.question, MAX_QUESTION)
        check_words("topic", self.topic, MAX_NAME)
        _check_region(self.region)
        if not 2 <= len(self.options) <= MAX_OPTIONS:  # noqa: PLR2004 # fewer than two is no question
            raise Refusal("options", f"{len(self.options)} given, 2 to {MAX_OPTIONS} are needed")
        check_texts("options", self.options, MAX_OPTIONS, MAX_OPTION)
        _distinct("options", (option.strip() for option in self.options), "an option")
        size = sum(len(option.encode()) for option in self.options)
        if size > MAX_OPTIONS_BYTES:
            raise Refusal(
                "options", f"{size} bytes in all are too many, at most {MAX_OPTIONS_BYTES}; shorten them"
            )
        check_texts("context", self.context, MAX_REFERENCES, MAX_REASON)
        check_texts("evidence", self.evidence, MAX_REFERENCES, MAX_REASON)
        if not self.voters:
            raise Refusal("voters", "none given, at least one is needed")
        if len(self.voters) > 10 * MAX_PANEL:
            raise Refusal("voters", f"{len(self.voters)} given, at most {10 * MAX_PANEL} candidates are read")
        _distinct("voters", (v.id for v in self.voters), "a voter")
        self._check_policy()

    def _check_policy(self) -> None:
        if self.policy.weighting in ("posterior", "calibrated"):
            raise Refusal(
                "policy.weighting",
                f"{self.policy.weighting} learns from many items: use `moot decide` with a table, "
                "or weighting equal or reputation",
            )
        if self.policy.fault_model != "stake" and any(v.weight != 1.0 for v in self.voters):
            raise Refusal("voters", 'weights are given, but only policy.fault_model "stake" counts them')


@dataclass(frozen=True, slots=True)
class CastBallot:
    """One voter's answer to the open round; `choice` null abstains."""

    voter: str
    choice: str | None
    confidence: float | None = None
    reason: str = ""
    round: int | None = None

    def __post_init__(self) -> None:
        check_id(self.voter, "voter")
        check_ballot(self.choice, self.confidence, self.reason)


@dataclass(frozen=True, slots=True)
class Rule:
    """A person decides what the panel could not."""

    choice: str
    reason: str
    person: str

    def __post_init__(self) -> None:
        check_words("choice", self.choice, MAX_OPTION)
        check_words("reason", self.reason, MAX_REASON)
        check_words("person", self.person, MAX_NAME)


def check_ballot(choice: str | None, confidence: float | None, reason: str) -> None:
    if choice is not None:
        check_words("choice", choice, MAX_OPTION)
    if confidence is not None and not 0 <= confidence <= 1:
        raise Refusal("confidence", f"{confidence} is outside 0 to 1")
    _bounded("reason", reason, MAX_REASON)


def check_texts(name: str, values: tuple[str, ...], most: int, length: int) -> None:
    if len(values) > most:
        raise Refusal(name, f"{len(values)} given, at most {most}")
    for index, value in enumerate(values):
        check_words(f"{name}[{index}]", value, length)


def check_words(name: str, value: str, most: int) -> None:
    if not value.strip():
        raise Refusal(name, "is empty")
    _bounded(name, value, most)


def _bounded(name: str, value: str, most: int) -> None:
    if len(value) > most:
        raise Refusal(name, f"{len(value)} characters are too many, at most {most}")
    if CONTROL.search(value):
        raise Refusal(name, "holds a control character; remove it")


def _check_region(region: str | None) -> None:
    if region is not None:
        check_words("region", region, MAX_REGION)


def _distinct(name: str, values: Iterable[Hashable], what: str) -> None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise Refusal(name, f"{what} stands twice: {printable(str(value), 60)}")
        seen.add(value)
