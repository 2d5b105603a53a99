"""No byte of Kafka runs that is not the byte that was pinned."""

import hashlib

import pytest

from domain.refusal import Refusal
from workers.embedded import jars

JAR = "org/example/thing/1.0/thing-1.0.jar"


@pytest.fixture
def pins(tmp_path):
    file = tmp_path / "pins.sha256"
    file.write_text(f"{hashlib.sha256(b'good').hexdigest()}  {JAR}\n")
    return file


def put(cache, content: bytes) -> None:
    (cache / JAR).parent.mkdir(parents=True)
    (cache / JAR).write_bytes(content)


def test_a_jar_with_the_pinned_bytes_is_used_without_the_network(tmp_path, pins, monkeypatch):
    monkeypatch.setattr(jars, "_download", lambda *_: pytest.fail("asked the network"))
    put(tmp_path / "cache", b"good")
    assert jars.classpath(tmp_path / "cache", lambda *_: None, pins) == [tmp_path / "cache" / JAR]


def test_a_jar_with_one_other_byte_is_refused_by_its_file_name(tmp_path, pins):
    put(tmp_path / "cache", b"goof")
    with pytest.raises(Refusal, match=r"thing-1\.0\.jar is not the pinned file"):
        jars.classpath(tmp_path / "cache", lambda *_: None, pins)


def test_a_download_that_fails_is_one_line_with_the_way_out(tmp_path, pins, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("no route to host")

    monkeypatch.setattr(jars, "_fetch", fail)
    with pytest.raises(Refusal, match=r"no route to host.*FOLKMOOT_KAFKA") as refused:
        jars.classpath(tmp_path / "cache", lambda *_: None, pins)
    assert "\n" not in str(refused.value)


def test_a_download_with_other_bytes_is_refused_and_does_not_enter_the_cache(tmp_path, pins, monkeypatch):
    downloaded = tmp_path / "downloaded.jar"
    downloaded.write_bytes(b"evil")
    monkeypatch.setattr(jars, "_by_jgo", lambda *_: downloaded)
    with pytest.raises(Refusal, match="not the pinned file"):
        jars.classpath(tmp_path / "cache", lambda *_: None, pins)
    assert not (tmp_path / "cache" / JAR).exists()


def test_progress_is_told_from_nothing_to_all(tmp_path, pins, monkeypatch):
    downloaded = tmp_path / "downloaded.jar"
    downloaded.write_bytes(b"good")
    monkeypatch.setattr(jars, "_by_jgo", lambda *_: downloaded)
    told: list[tuple[int, int]] = []
    jars.classpath(tmp_path / "cache", lambda *counts: told.append(counts), pins)
    assert told == [(0, 1), (1, 1)]


def test_the_pins_name_kafka_itself_and_only_whole_digests():
    pinned = jars.pinned()
    assert any(path.endswith(f"kafka_2.13-{jars.VERSION}.jar") for path in pinned)
    assert all(len(bytes.fromhex(digest)) == 32 for digest in pinned.values())


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"FOLKMOOT_CACHE": "/one", "XDG_CACHE_HOME": "/two", "HOME": "/three"}, "/one"),
        ({"XDG_CACHE_HOME": "/two", "HOME": "/three"}, "/two/folkmoot"),
    ],
)
def test_the_cache_folder_is_the_one_asked_for_first(environ, place):
    assert str(jars.cache_folder(environ)) == place
