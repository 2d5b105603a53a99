"""`moot context`: shared context, written and read in one region."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import output
from domain.context.commands import FLAGS, PutContext
from domain.context.events import Written
from domain.context.layers import NAMES
from domain.counting import counted
from domain.refusal import Refusal
from domain.strict_json import parse, printable

if TYPE_CHECKING:
    from workers.context_log import Told
    from workers.context_putting import Writing

LAYER = click.argument("layer", type=click.Choice(NAMES))
REGION = click.option("--region", metavar="NAME", help="By default FOLKMOOT_REGION.")
NODE = click.option(
    "--node", metavar="ID", help="Who writes; by default this folder's own node of the region."
)
READER = click.option(
    "--node",
    metavar="ID",
    help="Whose own writes are seen before they are projected; by default this folder's own node.",
)
WRITER = click.option("--writer", metavar="NAME", help="On whose behalf; by default the node.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON: one object, or one a line.")
_LONGEST = 512 * 1024  # bytes of a value as it is typed

PUT = """\b
Examples:
  moot context put situational weather/lake '{"wind": 3}' --region eu
  moot context put immediate door open --text --writer ada --region eu
  moot context put cultural greeting '"Moin"' --if-version eu-1a2b3c4d:1 --region eu
"""
GET = """\b
Examples:
  moot context get situational weather/lake --region eu
  moot context get situational weather/lake --region eu --at 2026-11-21T12:00:00Z --json
"""
HISTORY = """\b
Example:
  moot context history situational weather/lake --region eu
"""
WATCH = """\b
Examples:
  moot context watch --region eu
  moot context watch --region eu --layer situational --key 'weather/*' --json
"""
IMPORT = """\b
Examples:
  moot context import readings.jsonl --region eu
  moot context import readings.jsonl --region eu --again

A row:
  {"layer": "situational", "key": "weather/lake", "value": {"wind": 3}, "writer": "ada"}
It may also hold flags, ttl_seconds and if_version.
"""


@click.group(short_help="Shared context: write, read, watch, import.")
def context() -> None:
    """Shared context: values that many nodes in many regions write at the same time.

    What is written at the same time stands side by side until a rule of its layer, or a ruling, settles it;
    nothing is overwritten unseen.
    """


@context.command(short_help="Write a value under a key of a layer.", epilog=PUT)
@LAYER
@click.argument("key")
@click.argument("value")
@REGION
@NODE
@WRITER
@click.option("--text", is_flag=True, help="VALUE is a text, not JSON.")
@click.option(
    "--flag", "flags", multiple=True, type=click.Choice(FLAGS), help="What the write is; repeat it."
)
@click.option("--ttl", "ttl_seconds", type=float, metavar="SECONDS", help="How long; by default the layer's.")
@click.option("--if-version", metavar="VERSION", help="Only where the region has this version; as get says.")
@JSON
def put(
    *,
    layer: str,
    key: str,
    value: str,
    region: str | None,
    node: str | None,
    writer: str | None,
    text: bool,
    flags: tuple[Any, ...],
    ttl_seconds: float | None,
    if_version: str | None,
    as_json: bool,
) -> None:
    """Write VALUE, a JSON value of at most 64 KiB, under KEY of LAYER.

    It is durable on this machine before it is answered, and on the region's log as soon as Kafka answers.
    """
    from cli import context_run, context_view

    wanted = value if text else _json(value)
    PutContext(layer, key, wanted, writer or "-", flags, ttl_seconds, if_version)  # refused before all else

    async def write(client: "Writing") -> None:
        answer = await client.put(
            layer,
            key,
            wanted,
            writer=writer,
            flags=flags,
            ttl_seconds=ttl_seconds,
            if_version=if_version,
            fresh=True,
        )
        output.emit(as_json, asdict(answer), lambda: context_view.accepted(answer))

    context_run.write(region, node, write)


@context.command("import", short_help="Write every row of a file.", epilog=IMPORT)
@click.argument("file", type=click.Path(path_type=Path))
@REGION
@NODE
@WRITER
@click.option("--again", is_flag=True, help="Anew from the first row, also a file that was imported before.")
@JSON
def import_(
    *, file: Path, region: str | None, node: str | None, writer: str | None, again: bool, as_json: bool
) -> None:
    """Write every row of FILE, JSON lines. Stopped and started again, it goes on where it was.

    It stops at the first row that cannot be taken and names it; mend the row and run it again.
    """
    from cli import context_run
    from cli.progress import Progress

    if not file.is_file():
        raise Refusal("FILE", f"{printable(str(file), 200)} is no file that can be read")

    async def write(client: "Writing") -> None:
        from workers.context_import import import_file

        with Progress("lines read") as progress:
            done = await import_file(client, file, writer or client.node, again=again, progress=progress.show)
        data = {"file": str(file), "rows": done.rows, "lines_before": done.before}
        output.emit(as_json, data, lambda: _imported(done.rows, done.before))

    context_run.write(region, node, write)


@context.command(short_help="Show what the region has of a key.", epilog=GET)
@LAYER
@click.argument("key")
@REGION
@READER
@click.option("--at", metavar="TIME", help="As it was then: ISO 8601 with its offset. Read from the log.")
@JSON
def get(*, layer: str, key: str, region: str | None, node: str | None, at: str | None, as_json: bool) -> None:
    """Show what the region has of KEY: the value, or siblings that no rule settles.

    The version is for `put --if-version`; the staleness is the age of the newest event of the region that
    the tables know.
    """
    from cli import context_run, context_view

    data = context_run.found(region, node, layer, key, at)
    if not data["siblings"]:
        when = f" at {at}" if at else ""
        raise Refusal(
            "key", f"{data['region']} has no value under '{printable(key, 100)}' of layer {layer}{when}"
        )
    output.emit(as_json, data, lambda: context_view.found(data))


@context.command(short_help="Show every write of a key.", epilog=HISTORY)
@LAYER
@click.argument("key")
@REGION
@JSON
def history(*, layer: str, key: str, region: str | None, as_json: bool) -> None:
    """Show every write of KEY that reached the region, in the order of its log, and how it met the others."""
    from cli import context_run, context_view

    told = context_run.history(region, layer, key)
    if not told:
        raise Refusal("key", f"nothing was ever written under '{printable(key, 100)}' of layer {layer} there")
    for one in told:
        output.emit(as_json, context_view.told_data(one), context_view.told(one))


@context.command(short_help="Show what comes to the region.", epilog=WATCH)
@REGION
@click.option("--layer", type=click.Choice(NAMES), help="Only this layer.")
@click.option("--key", metavar="KEY", help="Only this key, or with * at its end, keys that begin so.")
@click.option("--limit", type=click.IntRange(min=1), help="End after so many writes.")
@JSON
def watch(
    *, region: str | None, layer: str | None, key: str | None, limit: int | None, as_json: bool
) -> None:
    """Show every write that comes to the region from now on, until Ctrl-C."""
    from cli import context_run, context_view

    def wanted(write: Written) -> bool:
        if layer not in (None, write.layer):
            return False
        return key is None or write.key == key or (key.endswith("*") and write.key.startswith(key[:-1]))

    def show(one: "Told") -> None:
        output.emit(as_json, context_view.told_data(one), lambda: context_view.told(one))

    context_run.watch(region, wanted, show, limit)


def _json(text: str) -> Any:
    try:
        return parse(text, what="value", limit=_LONGEST)
    except Refusal as refusal:
        raise Refusal("value", f"{refusal.problem}; a text is written '\"so\"', or with --text") from None


def _imported(rows: int, before: int) -> str:
    taken = f"{counted(rows, 'row')} imported"
    return f"{taken}, after {counted(before, 'line')} that were there already" if before else taken
