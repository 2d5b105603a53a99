"""A child's log stays bounded, and its last word is at hand."""

import pytest

from workers.embedded import logfile


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (b"", ""),
        (b"\n\n", ""),
        (b"one\ntwo\n", "two"),
        (b"one\n two", "two"),
        (b"\xff", "\ufffd"),
        (b"x" * 9000 + b"\nend", "end"),
    ],
)
def test_the_last_line_is_the_last_one_with_words(tmp_path, content, last):
    (tmp_path / "log").write_bytes(content)
    assert logfile.last_line(tmp_path / "log") == last


def test_a_log_that_does_not_exist_said_nothing(tmp_path):
    assert logfile.last_line(tmp_path / "log") == ""


def test_a_large_log_is_put_aside_and_a_small_one_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(logfile, "_LARGEST", 3)
    log = tmp_path / "log"
    log.write_text("abc")
    logfile.turn(log)
    assert log.read_text() == "abc"
    log.write_text("abcd")
    logfile.turn(log)
    assert not log.exists()
    assert (tmp_path / "log.1").read_text() == "abcd"
