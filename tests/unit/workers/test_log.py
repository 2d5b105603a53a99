"""Log lines are events with fields, ours and the libraries' alike, on one stream."""

import errno
import io
import json
import logging

import pytest
import structlog

from workers import log


@pytest.fixture
def lines():
    """What was logged, read back; the configuration before is restored."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    out = io.StringIO()
    log.set_up("projector", stream=out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)


def test_an_event_has_its_name_its_fields_its_level_its_time_and_its_process(lines):
    structlog.get_logger().info("projector.batch_applied", events=3)
    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "projector.batch_applied", "events": 3, "level": "info", "process": "projector"}


def test_a_library_that_warns_is_logged_in_the_same_form(lines):
    logging.getLogger("asyncpg.pool").warning("lost %s", "a server")
    (line,) = lines()
    assert (line["event"], line["logger"], line["process"]) == ("lost a server", "asyncpg.pool", "projector")


def test_what_an_activity_adds_to_a_line_is_a_field_of_it_and_nothing_else_is(lines):
    added = {"cause": "OSError", "temporal_activity": {"attempt": 2}, "password": "planted"}
    logging.getLogger("temporalio.activity").warning("append.stream_not_looked_up", extra=added)
    (line,) = lines()
    assert (line["event"], line["cause"]) == ("append.stream_not_looked_up", "OSError")
    assert line["temporal_activity"] == {"attempt": 2}
    assert "password" not in line


@pytest.mark.parametrize(
    ("error", "short"),
    [(TimeoutError("Kafka does not answer"), True), (ValueError("a fault of ours"), False)],
)
def test_a_retry_for_want_of_a_server_is_one_line_and_a_fault_of_ours_has_its_traceback(lines, error, short):
    try:
        raise error
    except type(error):
        logging.getLogger("temporalio.activity").warning("Completing activity as failed", exc_info=True)
    (line,) = lines()
    assert ("exception" not in line) is short
    assert line.get("cause") == ("TimeoutError: Kafka does not answer" if short else None)


def test_each_failed_connection_of_a_kafka_that_is_away_is_no_line(lines):
    logging.getLogger("aiokafka.client").error("Unable connect to node with id 1")
    assert lines() == []


def test_a_library_that_merely_talks_is_not_logged(lines):
    logging.getLogger("aiokafka.conn").info("hello")
    structlog.get_logger().debug("projector.looked")
    assert lines() == []


def test_an_exception_keeps_its_traceback_in_one_line(lines):
    try:
        {}["colour"]
    except KeyError:
        structlog.get_logger().exception("projector.failed")
    (line,) = lines()
    assert "KeyError: 'colour'" in line["exception"]


class FullDisk(io.StringIO):
    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_does_not_stop_the_work(lines):
    log.set_up("projector", stream=FullDisk())
    structlog.get_logger().warning("server.away", server="postgres")
    logging.getLogger("asyncpg.pool").warning("lost a server")
