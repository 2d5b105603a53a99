"""`moot worker node`: one region's or edge's own reasoning and training."""

from pathlib import Path

import click

from cli.worker_process import METRICS, one_thread_for_sums, run_process

NODE = """\b
Examples:
  moot worker node --id eu-1 --region eu --reasoner my_reasoners:for_eu
  moot worker node --id edge-1 --region eu --data readings.csv --charging --unmetered
  moot worker node --id sim-1 --region eu --data my_data:of_client --clients 100
"""
TRAIN_ON = "Train on this: an .npz or .csv file, a folder of them, or MODULE:FACTORY.  [default: nothing]"
LOOK = "How often it looks whether what it announced has changed.  [default: 30]"


@click.command(epilog=NODE)
@click.option("--id", "node", required=True, help="The id that voters of kind reasoner, and cohorts, name.")
@click.option("--region", help="Where it is; its outbox of that region is passed on.")
@click.option(
    "--reasoner",
    metavar="NAME",
    help="What answers: rules, model, person, or MODULE:FACTORY.  [default: rules, which abstain]",
)
@click.option(
    "--data",
    metavar="DATA",
    help=TRAIN_ON,
)
@click.option("--clients", type=int, metavar="N", help="As many virtual clients, each with its own data.")
@click.option(
    "--client", "named", multiple=True, metavar="NAME=DATA", help="A client and its data; repeat it."
)
@click.option(
    "--trainers", metavar="NAMES", default="", help="Separated by commas.  [default: all installed]"
)
@click.option("--network-mbps", type=float, help="How fast its link is.  [default: 100]")
@click.option("--charging/--not-charging", default=None, help="Whether it has power.  [default: not said]")
@click.option(
    "--unmetered/--metered", default=None, help="Whether its link is paid by use.  [default: not said]"
)
@click.option("--subject", help="Whose data it is, and so whose budget.  [default: each client its own]")
@click.option("--folder", type=click.Path(path_type=Path), help="Its journal and key.  [default: nodes/ID]")
@click.option(
    "--look-every",
    type=click.FloatRange(0.05, 86_400),
    default=30.0,
    metavar="SECONDS",
    help=LOOK,
)
@METRICS
def node(
    *,
    node: str,
    region: str | None,
    reasoner: str | None,
    data: str | None,
    clients: int | None,
    named: tuple[str, ...],
    trainers: str,
    network_mbps: float | None,
    charging: bool | None,
    unmetered: bool | None,
    subject: str | None,
    folder: Path | None,
    look_every: float,
    metrics: str | None,
) -> None:
    """One region's or edge's own reasoning and training, and its shared context."""
    one_thread_for_sums()
    from workers import node as process
    from workers.trainees import Conditions, Training

    training = Training(
        data,
        clients,
        named,
        tuple(name for name in trainers.split(",") if name),
        Conditions(network_mbps, charging, unmetered),
        subject,
        folder,
        look_every,
    )
    run_process(
        "node",
        lambda settings, ready: process.run(
            settings, node, ready, reasoner, metrics, region=region, training=training
        ),
        ("temporal_address",),
    )
