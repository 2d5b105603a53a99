"""Structured logs on standard error: a constant event name and fields, never a sentence of values."""

import contextlib
import io
import logging
import sys
from typing import TextIO, cast

import structlog

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)
# What our activities and Temporal's SDK add to a line of the standard library's logging.
_EXTRAS = structlog.stdlib.ExtraAdder(["cause", "field", "temporal_activity", "temporal_workflow"])

_LONGEST_CAUSE = 300  # characters


def set_up(process: str, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of this process, the libraries' too, to `stream` (standard error by default).

    People at a terminal get aligned text, everything else one JSON object a line. `process` is the field that
    names the writer: orchestrator, projector.
    """
    out = cast("TextIO", _Willing(sys.stderr if stream is None else stream))
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer()
    )
    finish = (structlog.processors.format_exc_info, renderer) if not out.isatty() else (renderer,)
    numeric = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_SHARED, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*_SHARED, structlog.stdlib.add_logger_name, _EXTRAS, _cause_of_the_world],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *finish],
        )
    )
    # Libraries only from warning up: their informational lines are about themselves, not about decisions.
    logging.basicConfig(handlers=[handler], level=max(numeric, logging.WARNING), force=True)
    # It says each failed connection, thirty times a second; whoever uses it says once that Kafka is away.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.contextvars.bind_contextvars(process=process)


def _cause_of_the_world(
    _logger: object, _method: str, line: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A server that is away is no fault of ours: its cause instead of a traceback with each retry."""
    error = (line.get("exc_info") or (None, None))[1]
    if isinstance(error, OSError):
        del line["exc_info"]
        line["cause"] = f"{type(error).__name__}: {error}"[:_LONGEST_CAUSE]
    return line


class _Willing(io.TextIOBase):
    """A stream that loses what cannot be written: on a full disk the work must go on without its log."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def isatty(self) -> bool:
        return self._stream.isatty()

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()
