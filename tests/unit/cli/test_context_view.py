"""What a forger named a node never reaches the terminal as it is."""

from dataclasses import asdict

from cli import context_view
from domain.context.layers import NAMES
from tests.unit.domain.context.given import wrote
from workers.deciding import Accepted

ODD = "\x1b]0;x\x07"


def test_a_node_that_is_no_id_is_shown_escaped():
    write = asdict(wrote("eu-1:1", 1, layer=NAMES[1])) | {"node": ODD}
    data = {"siblings": [write], "resolution": None, "value": 1, "present": True, "version": f"{ODD}:1"}
    shown = context_view.found(data | {"awaited": (), "staleness_seconds": None})
    stored = Accepted(
        context_id="i",
        local_version=f"{ODD}:1",
        conflicts_detected=0,
        requires_remote_resolution=False,
    )
    for text in (shown, context_view.accepted(stored)):
        assert all(line.isprintable() for line in text.splitlines())
        assert "\\x1b]0;x\\x07:1" in text
