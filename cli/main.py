"""The `moot` command: its table of commands, and how each run ends."""

import os
import signal
import sys
import tempfile
import traceback

import click

from cli import output
from cli.lazy import LazyGroup
from domain.refusal import Refusal

COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("cli.audit:audit", "Prove and verify what was decided."),
    "conflict": ("cli.conflict:conflict", "Settle a conflict: open a case, appeal, rule, watch."),
    "consensus": ("cli.consensus:consensus", "Hold one deliberation: start, vote, watch."),
    "context": ("cli.context:context", "Shared context: write, read, watch, import."),
    "deadletters": ("cli.deadletters:deadletters", "Records that could not be applied."),
    "decide": ("cli.decide:decide", "Decide a whole table of recorded ballots."),
    "demo": ("cli.demo:demo", "Decide 45 real cases, settle real conflicts, or learn digits, and prove it."),
    "dev": ("cli.dev:dev", "Run everything on this machine until Ctrl-C."),
    "events": ("cli.events:events", "Read the log: its newest events, or one by its id."),
    "learn": ("cli.learn:learn", "Federated learning cycles: start, show, watch."),
    "fleet": ("cli.fleet:fleet", "Who could train: nodes, their clients and data."),
    "migrate": ("cli.migrate:migrate", "Make topics, tables and search attributes."),
    "rebuild": ("cli.rebuild:rebuild", "Read tables again from the log, or compare them with it."),
    "regions": ("cli.regions:regions", "Whether all regions have the same context."),
    "status": ("cli.status:status", "Each part's health, lag, and the last checkpoint."),
    "worker": ("cli.worker:worker", "The production processes, one each."),
}
DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `moot demo`, or `moot dev` and then `moot decide FILE` in a second terminal.",
)
@click.version_option(package_name="folkmoot")
@click.option("--debug", is_flag=True, help="Print the traceback of an unexpected error.")
def moot(debug: bool) -> None:  # noqa: FBT001 # click hands a flag over like this
    """Durable, auditable decisions for fleets of agents and edge nodes."""
    if debug:
        os.environ["FOLKMOOT_DEBUG"] = "1"


def main(arguments: list[str]) -> int:
    """Run one command.

    Returns:
        0 done, 1 refused or failed, 2 misused, 130 interrupted.
    """
    stdout = sys.stdout
    try:
        result = moot.main(arguments, prog_name="moot", standalone_mode=False)
    except SystemExit as leaving:
        if sys.stdout is stdout:
            return leaving.code if isinstance(leaving.code, int) else FAILED
        sys.stdout = stdout  # click met a closed pipe, put a mute in its place, and leaves with status 1
        return _reader_left()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 # the last place to turn a fault into one line
        return _ending(error)
    return result if isinstance(result, int) else DONE


def _ending(error: BaseException) -> int:
    code = FAILED
    match error:
        case click.exceptions.Exit():
            code = error.exit_code
        case click.Abort() | KeyboardInterrupt():
            code = INTERRUPTED
        case click.exceptions.NoArgsIsHelpError():
            sys.stdout.write(error.format_message() + "\n")
            code = MISUSED
        case click.ClickException():
            code = _misused(error)
        case Refusal():
            output.refused(error)
        case BrokenPipeError():
            code = _reader_left()
        case _:
            _unexpected(error)
    return code


def run() -> None:
    """Entry of the `moot` executable; ends the process itself.

    `os._exit` after flushing: with the Temporal SDK loaded, one in three short processes crashes while the
    interpreter shuts down, after its work was done (temporalio/sdk-python issue 300).
    """
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a reader that left is an error to handle, not a death
    code = main(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass
        except OSError:  # a full disk under a redirected output
            code = code or FAILED
    os._exit(code)


def _misused(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context else ""
    output.say(f"moot: {error.format_message()}{hint}")
    return error.exit_code


def _reader_left() -> int:
    # Whoever read our output (`| head`) has enough: nothing failed, and nothing more can be said there.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


def _unexpected(error: BaseException) -> None:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if os.environ.get("FOLKMOOT_DEBUG"):
        traceback.print_exception(error)
    elif isinstance(error, OSError):  # the world's fault, and it says which: refused, unreachable, full
        in_words = type(error).__module__ != "builtins" and str(error)  # Python's own need their name beside
        output.say(f"moot: {in_words or what}")
    else:
        handle, name = tempfile.mkstemp(prefix="moot-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
        output.say(f"moot: unexpected {what}; the traceback is in {name}")


if __name__ == "__main__":
    run()
