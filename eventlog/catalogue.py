"""Every event that the log may hold, once."""

from domain import audit_events, deadletters
from domain.consensus import events as consensus

EVENTS = (*consensus.EVENTS, *audit_events.EVENTS, *deadletters.EVENTS)
BY_TYPE = {event.TYPE: event for event in EVENTS}
