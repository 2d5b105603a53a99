"""An event of a topic other than `decisions`."""

from domain.deadletters import Discarded
from domain.event import Event, event_id
from tests.unit.eventlog.examples import AT

DISCARD = Event(
    id=event_id(AT, "discard"),
    stream="deadletters/decisions-0-17",
    version=1,
    time=AT,
    data=Discarded("decisions-0-17", "decisions", 0, 17, "consensus/9", "duty officer", "written by mistake"),
    source="cli",
)
