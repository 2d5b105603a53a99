"""The deliberation of a panel: the question it is put, and what of its outcome a case keeps."""

import re
from collections.abc import Sequence

from domain.conflict.case import Case
from domain.conflict.events import AnnulmentDecided, DeliberationMoved, Member, PanelHeard, Vote
from domain.conflict.panels import ANNULMENT, seed_of, voters_of
from domain.conflict.state import CaseState
from domain.consensus.commands import OpenDeliberation, Voter
from domain.consensus.outcome import ConsensusOutcome
from domain.consensus.policy import Policy
from domain.refusal import Refusal

ANNUL, STAND = "annul", "stand"
_CATEGORY = "consensus/"
_MAX_RULING = 1_900
_DRAWN = re.compile(r"-[0-9a-f]{12}")


def level_stream(case: str, level: int) -> str:
    """The stream of the deliberation that one level holds."""
    return f"{_CATEGORY}{case}-level-{level}"


def annulment_stream(case: str, attempt: int) -> str:
    """The stream of the deliberation on the `attempt`-th annulment asked."""
    return f"{_CATEGORY}{case}-{ANNULMENT}-{attempt}"


def own_stream(state: CaseState) -> str:
    """Where the panel that sits now decides, unless somebody else has taken that id."""
    case = state.opened.id
    if state.phase == "annulment":
        return annulment_stream(case, len(state.annulments))
    return level_stream(case, state.level)


def is_moved(was: str, deliberation: str) -> bool:
    """Whether the second id is the first one with a part that was drawn."""
    return bool(_DRAWN.fullmatch(deliberation.removeprefix(was))) and deliberation.startswith(was)


def move(state: CaseState, part: str) -> list[DeliberationMoved]:
    """Go to an id that nobody could have known before; nothing for a panel that has moved already.

    `part`: twelve hex digits, drawn when they are needed.

    Raises:
        Refusal: no panel sits.
    """
    if state.deliberation is None:
        raise Refusal("deliberation", "no panel sits now")
    if state.deliberation != own_stream(state):
        return []
    return [DeliberationMoved(state.deliberation, f"{state.deliberation}-{part}")]


def level_question(state: CaseState, members: Sequence[Voter]) -> OpenDeliberation:
    """What the panel of the level that began last is asked: to choose the id of a position it hears.

    Raises:
        Refusal: no panel sits, or a member who was drawn is not among `members`.
    """
    sitting = state.sitting
    if state.phase != "panel" or sitting is None or sitting.deliberation is None:
        raise Refusal("level", f"no panel sits on level {state.level}")
    case = state.opened
    context = tuple(f"{one.id} ({one.party}): {one.claim}" for one in case.positions[: sitting.heard])
    panel = voters_of(sitting.panel, members)
    return _question(
        state,
        sitting.deliberation,
        panel,
        question=case.question,
        options=case.options(sitting.heard),
        context=context,
    )


def annulment_question(state: CaseState, members: Sequence[Voter]) -> OpenDeliberation:
    """What the three are asked: whether the ground holds, not who is right.

    Raises:
        Refusal: no annulment is heard, or a member who was drawn is not among `members`.
    """
    standing = state.last_ruling
    if state.phase != "annulment" or standing is None:
        raise Refusal("annulment", "none is heard now")
    asked = state.annulments[-1]
    context = (f"ruling: {standing.ruled.reason[:_MAX_RULING]}", f"{asked.party}: {asked.statement}")
    question = f"Is the ruling of level 4 to be annulled for {asked.ground.replace('_', ' ')}?"
    panel = voters_of(asked.panel, members)
    return _question(
        state, asked.deliberation, panel, question=question, options=(ANNUL, STAND), context=context
    )


def panel_heard(state: CaseState, outcome: ConsensusOutcome) -> PanelHeard:
    """What the case keeps of its panel's deliberation.

    Raises:
        Refusal: no panel sits, or the outcome is another panel's.
    """
    sitting = state.sitting
    if state.phase != "panel" or sitting is None or sitting.deliberation is None:
        raise Refusal("level", f"no panel sits on level {state.level}")
    _check_panel(outcome, sitting.deliberation, sitting.panel)
    return PanelHeard(
        level=sitting.level,
        deliberation=sitting.deliberation,
        choice=outcome.consensus if outcome.authority == "consensus" else None,
        cast=outcome.cast,
        reason=outcome.reason,
        votes=votes_of(outcome),
        event_id=outcome.event_ids[-1],
    )


def annulment_decided(state: CaseState, outcome: ConsensusOutcome) -> AnnulmentDecided:
    """Whether the three annul; without consensus they do not.

    Raises:
        Refusal: no annulment is heard, or the outcome is another panel's.
    """
    if state.phase != "annulment":
        raise Refusal("annulment", "none is heard now")
    asked = state.annulments[-1]
    _check_panel(outcome, asked.deliberation, asked.panel)
    return AnnulmentDecided(
        deliberation=asked.deliberation,
        annulled=outcome.authority == "consensus" and outcome.consensus == ANNUL,
        reason=outcome.reason,
        votes=votes_of(outcome),
        event_id=outcome.event_ids[-1],
    )


def votes_of(outcome: ConsensusOutcome) -> tuple[Vote, ...]:
    """The first ballots as the case keeps them."""
    return tuple(
        Vote(one.voter, one.choice, one.confidence, one.equivocated) for one in outcome.first_ballots
    )


def _question(
    state: CaseState,
    stream: str,
    panel: tuple[Voter, ...],
    *,
    question: str,
    options: tuple[str, ...],
    context: tuple[str, ...],
) -> OpenDeliberation:
    case, policy = state.opened, state.policy
    deliberation = stream.removeprefix(_CATEGORY)
    return OpenDeliberation(
        id=deliberation,
        question=question,
        options=options,
        voters=panel,
        topic=case.topic,
        context=context,
        evidence=_pieces(case),
        case=case.id,
        policy=Policy(
            threshold=policy.threshold,
            quorum=policy.quorum,
            max_rounds=policy.max_rounds,
            round_seconds=policy.round_seconds,
            weighting=policy.weighting,
            seed=seed_of(case.id, deliberation, policy.seed),
        ),
    )


def _pieces(case: Case) -> tuple[str, ...]:
    return tuple(f"{piece.id}: {piece.text}" for piece in case.evidence)


def _check_panel(outcome: ConsensusOutcome, stream: str, panel: Sequence[Member]) -> None:
    seated = {seat.voter for seat in outcome.panel}
    if f"{_CATEGORY}{outcome.id}" != stream or seated != {member.voter for member in panel}:
        raise Refusal("deliberation", f"{stream} was held by another panel than the case drew")
