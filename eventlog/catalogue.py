"""Every event that the log may hold, once."""

from domain import audit_events, deadletters
from domain.conflict import events as conflict
from domain.consensus import events as consensus
from domain.context import events as context
from domain.learning import events as learning
from domain.learning import fleet
from domain.learning.budget import events as budget
from domain.learning.versions import events as versions

EVENTS = (
    *consensus.EVENTS,
    *context.EVENTS,
    *conflict.EVENTS,
    *learning.EVENTS,
    *fleet.EVENTS,
    *budget.EVENTS,
    *versions.EVENTS,
    *audit_events.EVENTS,
    *deadletters.EVENTS,
)
BY_TYPE = {event.TYPE: event for event in EVENTS}
