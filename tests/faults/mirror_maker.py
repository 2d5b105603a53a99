"""Kafka's own MirrorMaker 2 in its dedicated mode, as a part that is started like the others.

Its jars are pinned beside this file; `workers.embedded.pin` says how, with
`org.apache.kafka:connect-mirror` for what is wanted.
"""

import os
from pathlib import Path

from workers.embedded import jars, java
from workers.embedded.server import Launch

PINS = Path(__file__).with_name("mirror_maker.sha256")
_PROPERTIES = """\
clusters=eu,us
eu.bootstrap.servers={eu}
us.bootstrap.servers={us}
eu->us.enabled=true
us->eu.enabled=true
topics={topics}
groups.exclude=.*
replication.factor=1
offset-syncs.topic.replication.factor=1
heartbeats.topic.replication.factor=1
checkpoints.topic.replication.factor=1
offset.storage.replication.factor=1
config.storage.replication.factor=1
status.storage.replication.factor=1
emit.heartbeats.enabled=false
emit.checkpoints.enabled=false
refresh.topics.interval.seconds=1
refresh.groups.enabled=false
sync.topic.acls.enabled=false
tasks.max=1
"""


class MirrorMaker:
    """Copies the topics that match `topics` from each of two clusters to the other, under `eu.` and `us.`."""

    name = "mirror-maker"
    version = jars.VERSION
    address = ""
    start_within = 60.0
    stop_within = 10.0
    restarts = 0

    def __init__(self, folder: Path, eu: str, us: str, topics: str) -> None:
        self._folder, self._properties = folder, _PROPERTIES.format(eu=eu, us=us, topics=topics)

    def prepare(self) -> Launch:
        runtime = java.choose(os.environ)
        found = jars.classpath(jars.cache_folder(os.environ).absolute(), lambda *_: None, PINS)
        file = self._folder / "mirror-maker.properties"
        file.write_text(self._properties)
        options = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
        main = "org.apache.kafka.connect.mirror.MirrorMaker"
        return Launch(
            [runtime.path.absolute(), *options, main, file],
            environ={"CLASSPATH": os.pathsep.join(map(str, found))},
            folder=self._folder,
        )

    def ready(self, pid: int) -> bool:  # noqa: ARG002 # what it has copied says so
        return True
