"""Policies are read once: nearly every opening and decision carries one that was read before.

Reading a policy's fields and checking their ranges costs a third of reading an opening. So an event with one
is read with its policy left as bytes, which is then looked up.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from functools import lru_cache
from typing import Any, get_type_hints

import msgspec

from domain.consensus.policy import Policy
from eventlog.catalogue import EVENTS
from eventlog.undecodable import Undecodable, check_keys, reason_of

_FIELD = "policy"
_KEPT = 256  # policies
_LONGEST = 2_048  # bytes of one that is kept: fields unknown to us could make it as long as an event
_decode = msgspec.json.Decoder(Policy).decode


def _read(stored: bytes) -> Policy:
    check_keys(stored)
    return _decode(stored)


_read_once = lru_cache(maxsize=_KEPT)(_read)


def policy(stored: bytes) -> Policy:
    """The policy written as `stored`, the same object again for the same bytes.

    Raises:
        Undecodable: it is none.
    """
    try:
        return _read_once(stored) if len(stored) <= _LONGEST else _read(stored)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Undecodable(reason_of(error, f"data.{_FIELD}")) from None


def _unread(event: type) -> type[msgspec.Struct]:
    """`event` as a struct of the same fields, its policy still bytes."""
    hints = get_type_hints(event) | {_FIELD: msgspec.Raw}
    shape = [
        (field.name, hints[field.name], *([] if field.default is MISSING else [field.default]))
        for field in fields(event)
    ]
    return msgspec.defstruct(event.__name__, shape, gc=False)


def _reader(event: type) -> Callable[[msgspec.Struct], Any]:
    """Makes an event of its struct: a function of its own for each type, written out as `dataclass` does it.

    Setting the slots of a frozen dataclass one by one takes half the time of calling it.
    """
    names = [field.name for field in fields(event)]
    said = {name: f"unread.{name}" for name in names} | {_FIELD: f"policy(bytes(unread.{_FIELD}))"}
    sets = "".join(f"    set_{name}(made, {said[name]})\n" for name in names)
    scope: dict[str, Any] = {f"set_{name}": getattr(event, name).__set__ for name in names}
    scope |= {"new": object.__new__, "event": event, "policy": policy}
    exec(f"def read(unread):\n    made = new(event)\n{sets}    return made", scope)  # noqa: S102 # our own names
    read: Callable[[msgspec.Struct], Any] = scope["read"]
    return read


UNREAD = {event: _unread(event) for event in EVENTS if get_type_hints(event).get(_FIELD) is Policy}
"""The struct that each event with a policy is read as, by the event's class."""
READERS = {struct: _reader(event) for event, struct in UNREAD.items()}
"""Makes the event, by that struct."""
