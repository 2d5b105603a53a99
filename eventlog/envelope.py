"""The stored form of an event: a CloudEvents 1.0 JSON object, one struct for each type of the catalogue.

The struct's tag is the attribute `type`, so that one pass over the bytes reads envelope and data together.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from domain.stream import ITEM_ID
from eventlog import upcast
from eventlog.catalogue import EVENTS
from eventlog.shared_policy import UNREAD

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STREAM = rf"[a-z]+/{ITEM_ID.pattern}"
# CloudEvents integers are signed and of 32 bits.
LAST_VERSION = 2**31 - 1

Id = Annotated[str, Meta(pattern=rf"^{UUID}\Z", description="UUIDv7, the same again when a writer retries")]
Stream = Annotated[
    str, Meta(pattern=rf"^{STREAM}\Z", description="the stream, `<category>/<id>`; also the record's key")
]
Version = Annotated[
    int, Meta(ge=1, le=LAST_VERSION, description="position in the stream: 1, 2, 3, … without a gap")
]
Text = Annotated[str, Meta(min_length=1)]
Time = Annotated[datetime, Meta(tz=True, description="the writer's clock, RFC 3339 UTC with microseconds")]


def optional(meaning: str) -> tuple[Any, None]:
    return Annotated[str | None, Meta(description=meaning)], None


REQUIRED: dict[str, Any] = {
    "specversion": Annotated[Literal["1.0"], Meta(description="of CloudEvents")],
    "id": Id,
    "source": Annotated[Text, Meta(description="the writer, a URI reference")],
    "subject": Stream,
    "time": Time,
    "streamversion": Version,
}
OPTIONAL = {
    "workflowid": optional("the workflow that wrote it"),
    "runid": optional("the run of that workflow"),
    "causationid": optional("the id of the event before it in the same chain of causes"),
    "correlationid": optional("what all events of one undertaking share"),
    "region": optional("the writer's region"),
    "traceparent": optional("W3C trace context"),
}
# CloudEvents has it default to JSON; it is read when a foreign writer states it, and never written.
CONTENT_TYPE = (Literal["application/json"] | None, None)


def _struct(stored: str, data: type) -> type[msgspec.Struct]:
    fields: list[Any] = [
        *REQUIRED.items(),
        *((attribute, *rest) for attribute, rest in OPTIONAL.items()),
        ("datacontenttype", *CONTENT_TYPE),
        ("data", data),
    ]
    return msgspec.defstruct(
        stored.replace(".", "_"),
        fields,
        tag_field="type",
        tag=stored,
        kw_only=True,
        omit_defaults=True,
        forbid_unknown_fields=True,
        gc=False,
    )


class Heading(msgspec.Struct, gc=False, rename={"stream": "subject", "version": "streamversion"}):
    """What can be told of a record without reading its data."""

    id: Id
    type: Text
    stream: Stream
    version: Version


CURRENT: dict[type, Any] = {event: _struct(event.TYPE, event) for event in EVENTS}
# What the values are read as: the same, but with policies that are still bytes.
READ: list[Any] = [_struct(event.TYPE, UNREAD.get(event, event)) for event in EVENTS]
EARLIER: dict[type, str] = {
    _struct(stored, upcaster.shape): stored for stored, upcaster in upcast.UPCASTERS.items()
}
