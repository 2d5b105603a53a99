"""What a writer asks for, read strictly before anything is done."""

from dataclasses import dataclass
from typing import Any, get_args

from domain.context.canonical import check_value
from domain.context.events import Flag
from domain.context.layers import LEAST_TTL_SECONDS, MAX_TTL_SECONDS, NAMES
from domain.refusal import Refusal
from domain.strict_json import CONTROL, check_text, printable

MAX_KEY = 512
MAX_WRITER = 128
FLAGS: tuple[Flag, ...] = get_args(Flag)


@dataclass(frozen=True, slots=True)
class PutContext:
    """Write `value` under `key` of `layer` for `writer`.

    `ttl_seconds`: how long it stands, the layer's default where null. `if_version`: the version that the
    writer has read; where the region has another, the write is refused.
    """

    layer: str
    key: str
    value: Any
    writer: str
    flags: tuple[Flag, ...] = ()
    ttl_seconds: float | None = None
    if_version: str | None = None

    def __post_init__(self) -> None:
        if self.layer not in NAMES:
            raise Refusal("layer", f"'{printable(self.layer, 40)}' is none of {', '.join(NAMES)}")
        _check_name("key", self.key, MAX_KEY)
        _check_name("writer", self.writer, MAX_WRITER)
        check_value(self.value)
        for flag in self.flags:
            if flag not in FLAGS:
                raise Refusal("flags", f"'{printable(flag, 40)}' is none of {', '.join(FLAGS)}")
        if self.ttl_seconds is not None and not LEAST_TTL_SECONDS <= self.ttl_seconds <= MAX_TTL_SECONDS:
            raise Refusal(
                "ttl_seconds", f"{self.ttl_seconds} is outside {LEAST_TTL_SECONDS} to {MAX_TTL_SECONDS}"
            )


def _check_name(field: str, name: str, limit: int) -> None:
    if not 0 < len(name) <= limit:
        raise Refusal(field, f"has {len(name)} characters, and may have 1 to {limit}")
    if name.isascii() and name.isprintable():  # then nothing of what follows can be wrong with it
        return
    if CONTROL.search(name) or "\n" in name or "\t" in name or "\r" in name:
        raise Refusal(field, f"holds a control character: '{printable(name, 60)}'")
    check_text(name, field)
