"""`moot learn serving`: what a program that answers with a model asks before it loads one."""

import asyncio

import click

from domain.stream import check_id

EPILOG = """\b
Examples:
  moot learn serving digits edge-1
  moot learn serving digits edge-1 --json
"""


@click.command(epilog=EPILOG, short_help="Which version a node is to serve.")
@click.argument("model")
@click.argument("node")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def serving(model: str, node: str, *, as_json: bool) -> None:
    """Name the version of MODEL that NODE is to serve, and the file it is in.

    While a version is tried on a share of the nodes, that share serves it and the others the one before. Who
    is in the share follows from the canary's seed and the node's name: everybody is told the same.
    """
    check_id(model, "MODEL")
    check_id(node, "NODE")
    from cli import learn_models_run as run
    from cli import output

    found = asyncio.run(run.serving_on(model, node))
    where, sha256 = found["artifact"]["uri"], found["artifact"]["sha256"]
    output.emit(
        as_json,
        found,
        lambda: (
            f"{node} serves {found['version']} of {model}, model digest {found['digest']}\n"
            f"model file {where}, SHA-256 {sha256}"
        ),
    )
