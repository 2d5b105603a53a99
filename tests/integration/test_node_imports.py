"""A node that knows of Temporal alone loads nothing of Kafka and SQL; twenty of them share a machine."""

import subprocess
import sys

LOADED = """
import sys
import workers.node
print([name for name in ("sqlalchemy", "asyncpg", "aiokafka", "sklearn") if name in sys.modules])
"""


def test_a_node_is_made_without_the_clients_of_servers_that_it_does_not_know():
    found = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.strip() == "[]"
