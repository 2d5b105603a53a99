"""How every command ends: one line, the right status, and nothing imported that is not used."""

import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli import main as entry
from cli.lazy import LazyGroup
from domain.refusal import Refusal

HEAVY = ("temporalio", "aiokafka", "asyncpg", "sqlalchemy", "numpy", "rich", "structlog", "pydantic", "jgo")


def moot(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path.cwd()), "HOME": "/nonexistent"},
    )


@pytest.fixture
def command(monkeypatch):
    """Put a command of the test's own into `moot`, and run it in this process."""

    def run(body, *arguments: str) -> int:
        made = click.command("probe")(body)
        monkeypatch.setitem(entry.moot.commands, "probe", made)
        return entry.main(["probe", *arguments])

    return run


def fail_with(error: BaseException):
    def body() -> None:
        raise error

    return body


def test_a_refusal_is_one_line_on_stderr_and_status_1(command, capsys):
    assert command(fail_with(Refusal("threshold", "0 is not\nabove 0"))) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", "moot: threshold: 0 is not above 0\n")


def test_control_characters_of_an_input_do_not_reach_the_terminal(command, capsys):
    command(fail_with(Refusal("id", "\x1b[2J\u202e is no id")))
    assert not set(capsys.readouterr().err) & {"\x1b", "\u202e"}


def test_a_long_refusal_is_cut(command, capsys):
    command(fail_with(Refusal("id", "x" * 10_000)))
    assert len(capsys.readouterr().err) <= 600


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["dev", "--ports", "some"], ["status", "extra"]])
def test_misuse_is_one_line_and_status_2(arguments, capsys):
    assert entry.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("moot: ")
    assert err.count("\n") == 1


def test_ctrl_c_is_status_130_without_a_word(command, capsys):
    assert command(fail_with(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err.strip() == ""


def test_output_that_cannot_be_stored_is_a_failure():
    with open("/dev/full", "w") as full:  # noqa: PTH123 # a device, not a file
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", "--help"], check=False, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_a_command_chooses_its_own_status(command):
    assert command(lambda: 1) == 1
    assert command(lambda: None) == 0


def test_a_server_that_is_away_is_one_line_without_a_traceback_file(command, capsys):
    assert command(fail_with(ConnectionRefusedError(111, "Connection refused"))) == 1
    err = capsys.readouterr().err
    assert "Connection refused" in err
    assert "traceback" not in err


def test_a_server_that_is_away_and_was_put_into_words_is_not_named_by_its_class(command, capsys):
    class LogAway(ConnectionError):
        pass

    assert command(fail_with(LogAway("Kafka at k:1 does not answer"))) == 1
    assert capsys.readouterr().err == "moot: Kafka at k:1 does not answer\n"


def test_an_unexpected_error_is_one_line_that_says_where_its_traceback_is(command, capsys, monkeypatch):
    monkeypatch.delenv("FOLKMOOT_DEBUG", raising=False)
    assert command(fail_with(KeyError("colour"))) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    file = Path(err.split()[-1])
    assert "in body" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()


def test_with_debug_the_traceback_is_shown(command, capsys, monkeypatch):
    monkeypatch.setenv("FOLKMOOT_DEBUG", "1")
    command(fail_with(KeyError("colour")))
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_that_leaves_early_is_no_failure():
    writer = subprocess.Popen(
        [sys.executable, "-m", "cli.main", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.close()
    assert writer.stderr is not None
    assert writer.stderr.read() == b""
    writer.stderr.close()
    assert writer.wait() == 0


def test_help_imports_no_command_and_nothing_heavy():
    code = (
        "import sys; from cli.main import main; main(['--help']); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], [m for m in sys.modules if m.startswith('cli.')])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    last = said.stdout.splitlines()[-1]
    assert last == "[] ['cli.output', 'cli.lazy', 'cli.main']"


def processor_seconds():
    """Of the processes that ended so far and were waited for: a busy machine makes it no longer."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def test_help_takes_at_most_a_quarter_second():
    took = []
    for _ in range(3):
        began = processor_seconds()
        moot("--help")
        took.append(processor_seconds() - began)
    assert min(took) <= 0.25


def test_every_command_of_the_table_exists_and_has_help_and_an_example():
    for name in entry.COMMANDS:
        found = entry.moot.get_command(click.Context(entry.moot), name)
        assert isinstance(found, click.Command), name
        assert found.help, name


def test_a_command_without_its_stack_says_so_in_one_line(tmp_path):
    said = moot("status", cwd=tmp_path)
    assert said.returncode == 1
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "moot dev" in said.stderr


def test_a_lazy_group_lists_its_commands_without_importing_them():
    group = LazyGroup("group", table={"ghost": ("no.such.module:command", "Walk through walls.")})
    assert "Walk through walls." in group.get_help(click.Context(group))


def test_a_table_without_an_end_is_refused_when_it_is_too_long(monkeypatch, capsys):
    monkeypatch.setattr("cli.decide.MAX_BYTES", 1_000)
    assert entry.main(["decide", "/dev/zero"]) == entry.FAILED
    assert "/dev/zero has more than 1,000 bytes; split it" in capsys.readouterr().err
