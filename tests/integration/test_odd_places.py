"""The embedded servers in folders whose names are hard on programs that read them from settings."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.postgres import Postgres
from workers.embedded.server import Part
from workers.embedded.supervised import Supervised
from workers.embedded.temporal import Temporal

ODD = "öl ß, x=1%s $HOME 'q\" #a?b&c\\"  # as Kafka's settings, a URL, a shell or a format string may take it


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    place = tmp_path / ODD / "data"
    place.mkdir(parents=True)
    return place


def live_twice(part: Part, place: Path, guard: Guard, environ: Mapping[str, str]) -> None:
    """It is made, and found again."""
    for _ in range(2):
        supervised = Supervised(part, place / "log", guard, environ, lambda *_: None)
        supervised.start()
        supervised.wait_until_ready()
        supervised.stop()


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_kafka_keeps_its_log_in_the_folder_it_was_given_and_nowhere_else(
    odd: Path, tmp_path: Path, guard: Guard, locale: str
) -> None:
    listener = ports.free()
    environ = {**os.environ, "LC_ALL": locale}
    part = Kafka(odd / "kafka", listener, ports.free({listener}), environ, lambda *_: None)
    live_twice(part, odd, guard, environ)
    assert (odd / "kafka" / "__cluster_metadata-0").is_dir()
    assert [place.name for place in tmp_path.iterdir()] == [ODD]


def test_kafka_starts_whatever_its_cluster_id_begins_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0xF8 << 120))  # a dash, in base 64
    listener = ports.free()
    part = Kafka(tmp_path / "kafka", listener, ports.free({listener}), os.environ, lambda *_: None)
    part.prepare()
    assert "cluster.id=-AAAA" in (tmp_path / "kafka" / "meta.properties").read_text()


def test_temporal_keeps_its_state_in_the_folder_it_was_given_and_nowhere_else(
    odd: Path, tmp_path: Path, guard: Guard
) -> None:
    listener = ports.free()
    ui = ports.free({listener})
    part = Temporal(odd / "temporal", listener, ui, ports.free({listener, ui}))
    live_twice(part, odd, guard, os.environ)
    assert (odd / "temporal" / "state.db").is_file()
    assert [place.name for place in tmp_path.iterdir()] == [ODD]


def test_postgres_keeps_its_cluster_in_the_folder_it_was_given(odd: Path, guard: Guard) -> None:
    live_twice(Postgres(odd / "postgres", ports.free()), odd, guard, os.environ)
    assert (odd / "postgres" / "PG_VERSION").is_file()
