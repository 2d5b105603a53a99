"""A case that is taken back: it ends on its log, so that its key is free for the next one."""

from datetime import datetime

from domain.conflict.events import Withdrawn
from domain.conflict.settle import settle
from domain.conflict.state import CaseState
from domain.consensus.commands import MAX_REASON
from domain.strict_json import printable


def withdraw(state: CaseState, reason: str, at: datetime) -> list[Withdrawn]:
    """Take the case back; nothing for one that is closed, or whose ruling can be attacked no more.

    `reason` is what was said with the request.
    """
    if state.phase in ("none", "closed") or settle(state, at):
        return []
    return [Withdrawn("temporal", printable(reason, MAX_REASON), state.level)]
