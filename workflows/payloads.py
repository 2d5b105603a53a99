"""The one way in for values from outside: strict JSON, then the type, then one line about every fault.

Used by the workers for payloads and by the command line before anything is sent, so that both refuse alike.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadConverter,
)
from temporalio.exceptions import ApplicationError

from domain import strict_json
from domain.refusal import Refusal
from workflows.faults import InputRefused, refused

T = TypeVar("T")

MAX_INPUT_BYTES = 256 * 1024
MAX_PAYLOAD_BYTES = 2 * 1024 * 1024  # Temporal's own limit; above it nothing arrives at all

INVALID, REFUSED = "PayloadValidationError", "Refusal"
_REFUSED = frozenset({INVALID, REFUSED})
_STRICT = ConfigDict(extra="forbid", strict=True)


def read_input(expected: type[T], text: bytes | str) -> T:
    """Read one JSON object of at most 256 KiB as the dataclass `expected`, taking nothing for granted.

    An unknown field is refused, `"0.75"` is no number, `1` is no text; an integer may stand for a float.

    Raises:
        Refusal: the text is not strict JSON (`domain.strict_json`), or its value is not an `expected`; the
            line names the field by its path and what would be right.
    """
    return cast(
        T, _validated(expected, text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    )


class StrictJSON(PydanticJSONPlainPayloadConverter):
    """JSON payloads, written as pydantic does and read as strictly as any other input."""

    def from_payload(self, payload: Payload, type_hint: Any = None) -> Any:
        return _validated(Any if type_hint is None else type_hint, payload.data)


class Payloads(CompositePayloadConverter):
    """Every payload between Temporal and our code.

    One that cannot be read raises an ApplicationError that is not retried, with one line and the details
    [{field, problem}, …]: a workflow then fails at once and an update is rejected, where an ordinary
    exception would make the workflow task retry for ever.
    """

    def __init__(self) -> None:
        super().__init__(
            *(
                StrictJSON() if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        hints: list[Any] = type_hints or [None] * len(payloads)
        try:
            return [self._read(payload, hint) for payload, hint in zip(payloads, hints, strict=True)]
        except Refusal as refusal:
            raise failure(refusal, INVALID) from None

    def _read(self, payload: Payload, hint: Any) -> Any:
        encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace")
        if dataclasses.is_dataclass(hint) and hint is not RawValue and encoding != "json/plain":
            raise Refusal(
                "input", f"must be a JSON object, not {strict_json.printable(encoding) or 'untyped'}"
            )
        try:
            value: Any = super().from_payloads([payload], None if hint is None else [hint])[0]
        except (KeyError, RuntimeError):
            raise Refusal(
                "input", f"has the unreadable encoding {strict_json.printable(encoding)!r}"
            ) from None
        return value


def failure(refusal: Refusal, kind: str = REFUSED) -> ApplicationError:
    """A refusal as Temporal carries it: its line, its fields and problems, never retried."""
    faults = refusal.faults if isinstance(refusal, InputRefused) else (refusal,)
    details = [{"field": fault.field, "problem": fault.problem} for fault in faults]
    return ApplicationError(str(refusal), details, type=kind, non_retryable=True)


class Failures(DefaultFailureConverter):
    """Refusals without a stack trace: it would bury their one line, and their cause is the input."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.type in _REFUSED:
            failure.stack_trace = ""


CONVERTER = DataConverter(payload_converter_class=Payloads, failure_converter_class=Failures)


def _validated(expected: Any, raw: bytes) -> Any:
    strict_json.parse(raw, limit=_limit(expected))
    try:
        # Wrapped, because a type adapter passes its configuration down to standard dataclasses, so that
        # `domain` needs to know nothing of pydantic, but refuses it for a dataclass standing alone.
        (value,) = _adapter(expected).validate_json(b"[%b]" % raw)
    except ValidationError as error:
        raise refused(error, expected) from None
    return value


def _limit(expected: Any) -> int:
    if not dataclasses.is_dataclass(expected):
        return MAX_PAYLOAD_BYTES
    return int(getattr(expected, "MAX_BYTES", MAX_INPUT_BYTES))


@functools.lru_cache(maxsize=256)  # for the process: a converter lives only as long as one workflow does
def _adapter(expected: Any) -> TypeAdapter[Any]:
    return TypeAdapter(tuple[expected], config=_STRICT)
