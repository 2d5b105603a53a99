"""After level 4 there is no appeal, only annulment: five closed grounds, three new members.

The grounds are those of the ICSID Convention (1965), Art. 52(1): the tribunal was not properly
constituted; it manifestly exceeded its powers; a member was corrupt; a fundamental rule of procedure was
seriously departed from; the award did not state its reasons. The three decide on the ground, never on the
matter: what they annul is void, and nothing takes its place.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from domain.conflict.appeals import AppealedAlready, NothingToAppeal, check_attacker, check_window
from domain.conflict.commands import AskAnnulment
from domain.conflict.deliberations import annulment_decided, annulment_stream
from domain.conflict.events import AnnulmentAsked, AnnulmentDecided, Ground
from domain.conflict.levels import FINAL
from domain.conflict.panels import draw_annulment
from domain.conflict.state import CaseState
from domain.consensus.commands import Voter
from domain.consensus.outcome import ConsensusOutcome
from domain.reasoning.told import as_told
from domain.refusal import Refusal
from domain.strict_json import printable

GROUNDS: tuple[Ground, ...] = get_args(Ground)


class NoNewMembers(Refusal):
    """Fewer than three members are left who did not sit in the case."""


def ask_annulment(
    state: CaseState, command: AskAnnulment, members: Sequence[Voter], at: datetime
) -> list[AnnulmentAsked]:
    """Attack the ruling of level 4, before three new members drawn from `members`.

    Raises:
        NotAParty, SatInTheCase, AppealedAlready, NothingToAppeal, TooLate, NoNewMembers: it cannot be asked.
        Refusal: the ground is none of the five.
    """
    check_attacker(state, command.party)
    if command.ground not in GROUNDS:
        raise Refusal("ground", f"'{printable(command.ground, 40)}' is none of {', '.join(GROUNDS)}")
    if any(one.party == command.party for one in state.annulments):
        raise AppealedAlready("party", f"{command.party} has asked for annulment before")
    standing = state.last_ruling
    if standing is None or standing.ruled.level != FINAL or state.phase not in ("final", "closed"):
        raise NothingToAppeal("level", "no ruling of level 4 stands open to annulment now")
    check_window(state, standing, at)
    attempt = len(state.annulments) + 1
    drawn = draw_annulment(state.opened, members, state.sat, attempt, state.policy.seed)
    if not drawn.panel:
        raise NoNewMembers("members", drawn.shortage)
    deliberation = annulment_stream(state.opened.id, attempt)
    return [
        AnnulmentAsked(
            command.party, command.ground, command.statement, drawn.panel, drawn.candidates, deliberation
        )
    ]


def record_annulment(state: CaseState, outcome: ConsensusOutcome) -> list[AnnulmentDecided]:
    """What the three decided, once.

    Raises:
        Refusal: it is another panel's.
    """
    return [annulment_decided(state, outcome)] if state.phase == "annulment" else []


def fail_annulment(state: CaseState, reason: str) -> list[AnnulmentDecided]:
    """The three could not decide, so nothing is annulled."""
    if state.phase != "annulment":
        return []
    asked = state.annulments[-1].deliberation
    return [AnnulmentDecided(asked, annulled=False, reason=as_told(reason), votes=(), event_id=None)]
