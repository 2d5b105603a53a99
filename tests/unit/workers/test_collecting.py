"""What nothing refers to is found and taken out; what anything refers to never is."""

import dataclasses
import hashlib
import json
import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from domain.artifact import ArtifactRef
from domain.consensus.events import DocketClosed
from domain.learning.versions.events import VersionPublished
from domain.refusal import Refusal
from domain.stream import Draft
from tests.fakes.log_reader import MemoryReader
from workers import collecting
from workers.artifacts import FsspecArtifacts

AT = datetime(2026, 11, 22, tzinfo=UTC)
LATER = datetime.now(UTC) + timedelta(days=30)


@pytest.fixture(params=["memory", "folder", "s3"])
def store(request, tmp_path):
    match request.param:
        case "memory":
            return FsspecArtifacts(f"memory://collecting-{uuid.uuid4().hex}")
        case "folder":
            return FsspecArtifacts(str(tmp_path / "a"))
    return FsspecArtifacts(f"{request.getfixturevalue('bucket')}/a")


class Bed:
    def __init__(self, store):
        self.store, self.reader = store, MemoryReader()

    async def put(self, text):
        return await self.store.put(text.encode())

    def tell(self, stream, data, topic):
        self.reader.append(Draft(stream, "test", stream, "run").events([data], AT), topic)

    def version(self, artifact, lineage):
        said = VersionPublished("v1.0", "c1", artifact, "d", None, 1, lineage, None, None, None, None)
        self.tell("model/digits", said, "learning")

    async def look(self, **options):
        await self.store.mark(await self.reader.name())
        return await collecting.look(self.store, self.reader, **{"now": LATER} | options)


@pytest.fixture
def bed(store):
    return Bed(store)


async def test_what_no_event_refers_to_is_found_and_taken_out_and_the_rest_stays(bed):
    kept = [await bed.put("a model"), await bed.put("its lineage")]
    lost = await bed.put("an update of an abandoned cycle")
    bed.version(*kept)
    found = await bed.look()
    assert [one.sha256 for one in found.unreferenced] == [lost.sha256]
    assert (found.stored, found.referenced, found.records) == (3, 2, 1)
    assert set(await bed.store.listed()) == {
        ref.sha256 for ref in (*kept, lost)
    }  # the look takes nothing out
    assert [one.sha256 for one in await collecting.take_out(bed.store, found)] == [lost.sha256]
    assert set(await bed.store.listed()) == {ref.sha256 for ref in kept}
    assert [await bed.store.get(ref) for ref in kept] == [b"a model", b"its lineage"]
    assert (await bed.look()).unreferenced == ()


async def test_what_a_referenced_artifact_names_is_kept_and_so_on_to_the_end(bed):
    last = await bed.put("an update that went in")
    middle = await bed.put(json.dumps({"updates": [last.sha256]}))
    first = await bed.put(json.dumps([dataclasses.asdict(middle)]))
    await bed.put("nobody's")
    bed.tell("docket/d", DocketClosed(1, {"consensus": 1}, first), "decisions")
    found = await bed.look()
    assert (len(found.unreferenced), found.referenced) == (1, 3)


@pytest.mark.parametrize("topic", ["decisions", "learning", "fleet", "deadletters", "context.eu"])
async def test_a_record_of_any_type_on_any_topic_keeps_what_it_names(bed, topic):
    ref, other = await bed.put("named by a type that is not known here"), await bed.put("named in capitals")
    bed.reader.put(b'{"type":"future.thing.v9","what":"' + ref.sha256.encode() + b'"}', topic=topic)
    bed.reader.put(b"\xff not JSON " + other.sha256.encode(), topic=topic)
    assert (await bed.look()).unreferenced == ()


async def test_a_digest_that_a_foreign_writer_escaped_or_ran_together_keeps_its_artifact(bed):
    ref, other = await bed.put("escaped"), await bed.put("run together")
    first = ref.sha256[0]
    bed.reader.put(f'{{"x":"\\u{ord(first):04x}{ref.sha256[1:]}"}}'.encode())
    bed.reader.put(f'{{"x":"\\uZZ {other.sha256}0123"}}'.encode())
    assert (await bed.look()).unreferenced == ()


async def test_what_a_schedule_will_start_with_is_kept(bed):
    kept = [await bed.put("a model"), await bed.put("its lineage")]
    bed.version(*kept)
    holdout = await bed.put("rows to evaluate on, next month")
    assert len((await bed.look()).unreferenced) == 1
    assert (await bed.look(inputs=[holdout.sha256.encode()])).unreferenced == ()


async def test_what_is_younger_than_the_grace_is_kept_and_counted(bed):
    bed.version(await bed.put("a model"), await bed.put("its lineage"))
    await bed.put("a cycle is about to name it")
    found = await bed.look(now=datetime.now(UTC), grace=timedelta(hours=1))
    assert (found.young, found.unreferenced) == (1, ())
    with pytest.raises(Refusal, match=r"^--grace: 0:59:00 is below an hour"):
        await bed.look(grace=timedelta(minutes=59))


async def test_what_is_put_again_after_the_look_is_not_taken_out(tmp_path):
    bed = Bed(FsspecArtifacts(str(tmp_path)))
    bed.version(await bed.put("a model"), await bed.put("its lineage"))
    ref = await bed.put("put once more, and then named")
    path = ref.uri.removeprefix("file://")
    os.utime(path, (0, 0))
    await bed.store.mark("@memory")
    os.utime(tmp_path / "logs" / "@memory", (0, 0))
    found = await bed.look(now=datetime.now(UTC))
    assert len(found.unreferenced) == 1
    await bed.put("put once more, and then named")
    assert await collecting.take_out(bed.store, found) == []
    assert await bed.store.get(ref)


async def test_what_is_put_again_while_it_is_taken_out_stays(tmp_path, monkeypatch):
    store = FsspecArtifacts(str(tmp_path))
    ref = await store.put(b"content")
    path = ref.uri.removeprefix("file://")
    os.utime(path, (0, 0))
    at = await store.changed_at(ref.sha256)
    await store.put(b"content")  # between the look at its age and its removal

    async def before(_):
        return at

    monkeypatch.setattr(store, "changed_at", before)
    assert not await store.remove(ref.sha256, datetime.now(UTC) - timedelta(days=1))
    assert await store.get(ref) == b"content"
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [ref.sha256]


async def test_what_was_taken_out_while_it_is_put_is_stored_anew(tmp_path, monkeypatch):
    store = FsspecArtifacts(str(tmp_path))
    ref = await store.put(b"content")
    touch = os.utime

    def late(path):
        os.unlink(path)  # noqa: PTH108 # as the store has it
        touch(path)

    monkeypatch.setattr("workers.artifacts.os.utime", late)
    assert await store.put(b"content") == ref
    assert await store.get(ref) == b"content"


async def test_a_store_of_another_log_is_not_touched(bed):
    await bed.put("somebody else's")
    with pytest.raises(Refusal, match=r"none of its 1 artifacts is named by the log's 0 records"):
        await bed.look()


async def test_a_store_that_another_log_marked_is_not_collected_from(bed):
    bed.version(await bed.put("a model"), await bed.put("its lineage"))
    await bed.put("an update that only the other log names")
    await bed.store.mark("test/%.part@6PMpHYL9QkeyXRj9Nrp4KA")
    with pytest.raises(
        Refusal, match=r"^FOLKMOOT_ARTIFACTS: the log test/%\.part@6PMpHYL9QkeyXRj9Nrp4KA uses"
    ):
        await bed.look()


async def test_a_store_that_its_own_log_has_not_marked_is_not_collected_from(bed):
    bed.version(await bed.put("a model"), await bed.put("its lineage"))
    with pytest.raises(Refusal, match="this log, @memory, has not marked it as its own: `moot worker orch"):
        await collecting.look(bed.store, bed.reader, LATER)


async def test_nothing_is_found_while_the_log_s_own_mark_is_younger_than_the_grace(tmp_path):
    bed = Bed(FsspecArtifacts(str(tmp_path)))
    bed.version(await bed.put("a model"), await bed.put("its lineage"))
    os.utime((await bed.put("of a log that has not marked it yet")).uri.removeprefix("file://"), (0, 0))
    found = await bed.look(now=datetime.now(UTC))
    assert (found.young, found.unreferenced, found.marked_at > found.before) == (1, (), True)
    os.utime(tmp_path / "logs" / "@memory", (0, 0))
    found = await bed.look(now=datetime.now(UTC))
    assert (found.young, len(found.unreferenced), found.marked_at < found.before) == (0, 1, True)


async def test_a_mark_is_left_once_and_neither_it_nor_a_broken_one_is_an_artifact(store, tmp_path):
    assert await store.marks() == {}
    await store.mark("eu.@cluster")
    first = await store.marks()
    await store.mark("eu.@cluster")
    assert await store.marks() == first
    assert list(first) == ["eu.@cluster"]
    if (tmp_path / "a").exists():
        (tmp_path / "a" / "logs" / f"other@x.{uuid.uuid4().hex}.part").touch()
        assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (await store.marks(), await store.listed()) == (first, {})


async def test_a_log_without_its_beginning_says_too_little(bed):
    bed.version(await bed.put("a model"), await bed.put("its lineage"))

    async def shortened(topic, partition):
        return 7, 9

    bed.reader.beginning_and_end = shortened
    with pytest.raises(Refusal, match="begins at offset 7: what the lost records named is not known"):
        await bed.look()


async def test_a_damaged_artifact_that_is_referred_to_stops_the_look_by_its_name(tmp_path):
    bed = Bed(FsspecArtifacts(str(tmp_path)))
    ref = await bed.put("a model")
    bed.version(ref, ref)
    with open(ref.uri.removeprefix("file://"), "wb") as file:  # noqa: ASYNC230, PTH123 # a test damages it
        file.write(b"a modem")
    with pytest.raises(Refusal, match=f"the artifact {ref.sha256[:12]} was changed"):
        await bed.look()


async def test_a_folder_that_cannot_be_read_stops_the_look_since_what_is_in_it_may_refer_to_others(
    tmp_path, monkeypatch
):
    bed = Bed(FsspecArtifacts(str(tmp_path)))
    update = await bed.put("an update")
    lineage = await bed.put(f'["{update.sha256}"]')
    bed.version(await bed.put("a model"), lineage)
    closed, scandir = tmp_path / lineage.sha256[:2], os.scandir

    def refusing(place):  # as for anybody but root, of a folder in mode 0700
        if str(place) == str(closed):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(PermissionError):
        await bed.look()


async def test_answers_and_other_files_are_no_artifacts(bed):
    key = hashlib.sha256(b"asked").hexdigest()
    await bed.store.keep(key, b"answer")
    assert await bed.store.listed() == {}
    assert await bed.store.changed_at(key) is None
    assert await bed.store.answered(key) == b"answer"


async def test_an_old_artifact_in_an_object_store_is_young_when_it_is_put_again(monkeypatch):
    store = FsspecArtifacts(f"memory://collecting-{uuid.uuid4().hex}")
    ref = await store.put(b"once")
    first = await store.changed_at(ref.sha256)
    await store.put(b"once")
    assert await store.changed_at(ref.sha256) == first  # within the hour it counts as young anyway
    monkeypatch.setattr("workers.artifacts._FRESH", timedelta(0))
    await store.put(b"once")
    assert await store.changed_at(ref.sha256) > first


async def test_a_store_that_is_not_there_yet_is_empty(tmp_path):
    store = FsspecArtifacts(str(tmp_path / "none"))
    assert await store.listed() == {}
    assert not await store.remove(ArtifactRef("", "0" * 64, 1).sha256, LATER)


async def test_a_store_is_marked_once_kafka_and_the_store_answer_and_nothing_waits_for_that(monkeypatch):
    answers = [ConnectionError("Kafka is away"), Refusal("FOLKMOOT_ARTIFACTS", "cannot be written"), None]

    async def mark(*_):
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr(collecting, "mark", mark)
    await collecting.keep_marked(None, None)
    assert answers == []
