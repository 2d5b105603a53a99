"""A docket: a table of recorded ballots decided item by item, each item a deliberation of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from domain.artifact import ArtifactRef
from domain.consensus.ballot_table import BallotTable, Vote
from domain.consensus.commands import MAX_NAME, MAX_OPTIONS, MAX_QUESTION, check_words
from domain.consensus.events import BallotCast, Decided, Opened, Proposal, Seat, Support
from domain.consensus.policy import MAX_PANEL, Policy
from domain.consensus.recorded import hold_one_round
from domain.consensus.state import NOT_OPENED, fold_all
from domain.consensus.tally import seats_needed
from domain.event import Event
from domain.refusal import Refusal
from domain.stream import Draft, check_id, consensus_stream

QUESTION = "Which choice is right?"
SHOWN_FROM = 1e-9
MAX_CHOICES_BYTES = 16_000
"""All choices of a table together, in UTF-8: an item's events may name each of them more than once."""
MAX_NAME_BYTES = 64_000
"""All names of an item's voters together, in UTF-8: its opening and its outcome list them."""


@dataclass(frozen=True, slots=True)
class RecordedLabel:
    """One row of a table given inline."""

    item: str
    voter: str
    choice: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class DecideDocketRequest:
    """Decide every item of a table: `table` by reference, or its rows inline as `ballots`."""

    id: str
    table: ArtifactRef | None = None
    ballots: tuple[RecordedLabel, ...] = ()
    question: str = QUESTION
    topic: str = "general"
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        check_id(self.id)
        if (self.table is None) == (not self.ballots):
            raise Refusal("table", "give either `table` (a reference) or `ballots` (rows), and not both")
        check_words("question", self.question, MAX_QUESTION)
        check_words("topic", self.topic, MAX_NAME)
        check_docket_policy(self.policy)


@dataclass(frozen=True, slots=True)
class Docket:
    """What every item of a docket shares."""

    id: str
    question: str
    topic: str
    policy: Policy
    table: BallotTable


@dataclass(frozen=True, slots=True)
class ItemEstimate:
    """What was estimated beforehand for one item: a posterior over choices, or a weight for each vote."""

    posterior: Mapping[str, float] | None = None
    weights: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """One line of a docket's result. `tied` and `majority_tied` hold the choices where nothing leads."""

    item: str
    stream: str
    consensus: str | None
    leading: str | None
    tied: tuple[str, ...]
    status: str
    agreement: float
    posterior: dict[str, float]
    majority: str | None
    majority_tied: tuple[str, ...]
    rounds_required: int


def check_docket_policy(policy: Policy) -> None:
    """Refuse what recorded ballots alone cannot satisfy.

    Raises:
        Refusal: the policy asks a mediator or a person, draws panels, or counts stakes.
    """
    if policy.otherwise != "unresolved":
        raise Refusal(
            "policy.otherwise",
            f'{policy.otherwise} cannot follow in a docket: use "unresolved", then deliberate on those items',
        )
    if policy.panel_size is not None:
        raise Refusal(
            "policy.panel_size", "every voter of an item sits on its panel in a docket; leave it out"
        )
    if policy.fault_model == "stake":
        raise Refusal("policy.fault_model", "stake needs weights, which recorded ballots do not have")


def check_table(table: BallotTable, policy: Policy) -> None:
    """Refuse a table that the policy cannot decide.

    Raises:
        Refusal: its choices do not fit an event, or an item has more voters than a panel holds, or fewer than
            the fault model needs.
    """
    size = sum(len(choice.encode()) for choice in table.choices)
    if size > MAX_CHOICES_BYTES:
        raise Refusal(
            "choice",
            f"{size} bytes of different choices are too many, at most {MAX_CHOICES_BYTES}; shorten them",
        )
    least = seats_needed(policy)
    for index, item in enumerate(table.items):
        voters = table.voters_of(index)
        if voters > MAX_PANEL:
            raise Refusal(f"item {item}", f"has {voters} voters, at most {MAX_PANEL} decide one item")
        names = table.name_bytes_of(index)
        if names > MAX_NAME_BYTES:
            raise Refusal(
                f"item {item}", f"has voters' names of {names} bytes in all, at most {MAX_NAME_BYTES} fit"
            )
        if voters < least:
            raise Refusal(
                f"item {item}",
                f"has {voters} voters, {least} are needed to bear {policy.faults} byzantine ones",
            )


def decide_item(
    docket: Docket, index: int, estimate: ItemEstimate, draft: Draft, at: datetime
) -> tuple[list[Event], ItemOutcome]:
    """Every event of one item, opening to outcome, and its line in the result."""
    votes = docket.table.votes(index)
    weights = estimate.weights or (1.0,) * len(votes)
    seats = tuple(Seat(vote.voter, weight) for vote, weight in zip(votes, weights, strict=True))
    opened = Opened(
        proposal=Proposal(
            id=f"{docket.id}.{index}",
            question=docket.question,
            options=_options(docket.table, votes, estimate.posterior),
            topic=docket.topic,
        ),
        policy=docket.policy,
        panel=seats,
        candidates=len(seats),
        docket=docket.id,
        item=docket.table.items[index],
    )
    events = draft.events([opened], at)
    state = fold_all(NOT_OPENED, events)
    posterior = shown(estimate.posterior) if estimate.posterior is not None else None
    held, state = hold_one_round(state, [_ballot(vote) for vote in votes], draft, at, posterior)
    decided = cast("Decided", state.decided)  # one round is held to its end
    return events + held, item_outcome(opened, decided, _shares(state.rounds[-1].tally))


def item_outcome(opened: Opened, decided: Decided, shares: Mapping[str, float]) -> ItemOutcome:
    """The result line of a decided item; `posterior` shows shares of weight where none was estimated."""
    return ItemOutcome(
        item=opened.item or opened.proposal.id,
        stream=consensus_stream(opened.proposal.id),
        consensus=decided.consensus,
        leading=_one(decided.leading),
        tied=decided.leading if len(decided.leading) > 1 else (),
        status=decided.status,
        agreement=decided.agreement,
        posterior=decided.posterior if decided.posterior is not None else dict(shares),
        majority=_one(decided.majority),
        majority_tied=decided.majority if len(decided.majority) > 1 else (),
        rounds_required=decided.rounds_required,
    )


def shown(posterior: Mapping[str, float]) -> dict[str, float]:
    """A posterior as it is recorded: nine decimals, what rounds to nothing left out."""
    rounded = ((choice, round(probability, 9)) for choice, probability in posterior.items())
    return {choice: probability for choice, probability in rounded if probability >= SHOWN_FROM}


def _options(
    table: BallotTable, votes: Sequence[Vote], posterior: Mapping[str, float] | None
) -> tuple[str, ...]:
    """All choices of the table, or of very many only those that this item could come to."""
    if len(table.choices) <= MAX_OPTIONS:
        return table.choices
    possible = {label for vote in votes for label in (vote.labels or (vote.choice,))}
    possible |= set(shown(posterior or {}))
    return tuple(choice for choice in table.choices if choice in possible)


def _ballot(vote: Vote) -> BallotCast:
    return BallotCast(vote.voter, 1, vote.choice, vote.confidence, vote.reason, labels=vote.labels)


def _shares(tally: Sequence[Support]) -> dict[str, float]:
    total = sum(support.weight for support in tally)
    return {support.choice: round(support.weight / total, 9) for support in tally} if total else {}


def _one(choices: tuple[str, ...]) -> str | None:
    return choices[0] if len(choices) == 1 else None
