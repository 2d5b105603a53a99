"""`moot audit`: what was decided, and the proof that it was decided as recorded."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "trail": ("cli.audit_log:trail", "The events of one stream, readable, with offsets and reasons."),
    "verify": ("cli.audit_log:verify", "Recompute every root from the raw bytes; name what differs."),
    "replay": ("cli.audit_replay:replay", "Decide again from the ballots and the workflow histories."),
    "whatif": ("cli.audit_whatif:whatif", "Decide again under another policy: what would differ."),
    "export": ("cli.audit_log:export", "Copy the sealed log into a folder, for an audit elsewhere."),
    "checkpoint": ("cli.audit_proof:checkpoint", "The newest signed checkpoints."),
    "key": ("cli.audit_key:key", "The public key of checkpoints; its history, its rotation."),
    "prove": ("cli.audit_proof:prove", "Write a proof of one event that needs no server."),
    "check": ("cli.audit_proof:check", "Check such a proof, with no server running."),
}

EPILOG = """\b
Examples:
  moot audit trail consensus/42
  moot audit verify
  moot audit prove 01a1fee4-ab8c-7c35-8d12-9e258adf9e9d -o decision
  moot audit check decision.tlog-proof --key "$(moot audit key)"
"""


@click.group(cls=LazyGroup, table=COMMANDS, short_help="Prove and verify what was decided.", epilog=EPILOG)
def audit() -> None:
    """Trust nothing that cannot be recomputed from the log's raw bytes and a public key."""
