"""Resolve Kafka and all it needs with jgo and pin the result: `python -m workers.embedded.pin`.

Run by hand when `VERSION` changes; the diff of `kafka.sha256` is what a reviewer looks at.
"""

import hashlib
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from workers.embedded.jars import PINS, VERSION

# The second one writes Kafka's log lines to standard error; without a provider slf4j drops them.
WANTED = (f"org.apache.kafka:kafka_2.13:{VERSION}", "org.slf4j:slf4j-simple:1.7.36")


def lines(repository: Path) -> list[str]:
    """One line per jar in the format of `sha256sum`, sorted by path."""
    context = MavenContext(repo_cache=repository)
    asked = [context.create_dependency(coordinate) for coordinate in WANTED]
    for dependency in asked:
        dependency.scope = "compile"
    own, others = context.resolver.resolve(asked)
    needed = [*own, *(found for found in others if found.scope in {"compile", "runtime"})]
    jars = sorted(dependency.artifact.resolve() for dependency in needed)
    return [f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.relative_to(repository)}" for jar in jars]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PINS.write_text("\n".join(lines(Path(folder))) + "\n", "utf-8")
