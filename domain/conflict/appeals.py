"""A ruling below level 4 stands unless a party appeals in time; whoever may not is told why in one line."""

from datetime import datetime

from domain.conflict.commands import Appeal
from domain.conflict.events import Appealed
from domain.conflict.levels import FINAL
from domain.conflict.state import CaseState, Standing
from domain.refusal import Refusal
from domain.strict_json import printable


class NotAParty(Refusal):
    """Only a party to the case may attack its ruling."""


class SatInTheCase(Refusal):
    """A member of a panel became a party later; it does not attack what it took part in."""


class AppealedAlready(Refusal):
    """The party has used its appeals."""


class TooLate(Refusal):
    """The ruling's window is over."""


class NothingToAppeal(Refusal):
    """No ruling stands yet, or the one that stands is of level 4."""


def appeal(state: CaseState, command: Appeal, at: datetime) -> list[Appealed]:
    """Take the ruling that stands to the next level.

    Raises:
        NotAParty, SatInTheCase, AppealedAlready, NothingToAppeal, TooLate: the appeal cannot be taken.
    """
    check_attacker(state, command.party)
    if state.level == FINAL:
        raise NothingToAppeal("level", f"level {FINAL} is final; only annulment may be asked of its ruling")
    used = sum(one.party == command.party for one in state.appeals)
    most = state.policy.appeals_each
    if used >= most:
        raise AppealedAlready("party", f"{command.party} has appealed {used} of {most} times in this case")
    standing = state.last_ruling
    if standing is None or state.phase not in ("appealable", "closed"):
        raise NothingToAppeal("level", f"level {state.level} has not ruled yet; there is nothing to appeal")
    check_window(state, standing, at)
    return [Appealed(standing.ruled.level, command.party, command.grounds)]


def check_attacker(state: CaseState, party: str) -> None:
    """Refuse whoever may attack no ruling of this case.

    Raises:
        NotAParty, SatInTheCase: as they say.
    """
    if party not in state.opened.parties:
        raise NotAParty("party", f"{printable(party, 60)} is no party to case {state.opened.id}")
    if party in state.sat:
        raise SatInTheCase("party", f"{party} sat in this case and cannot attack what it took part in")


def check_window(state: CaseState, standing: Standing, at: datetime) -> None:
    """Refuse what comes at the end of the ruling's window or after it.

    Raises:
        TooLate: with the time at which the window closed.
    """
    end = state.window_end()
    if state.phase == "closed" or end is None or at >= end:
        closed = end or standing.at
        raise TooLate("party", f"the window of level {standing.ruled.level} closed at {closed.isoformat()}")
