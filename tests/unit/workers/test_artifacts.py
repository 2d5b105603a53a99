"""What every artifact store promises; the fake must keep it as the real one does."""

import dataclasses
import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.refusal import Refusal
from tests.fakes.artifacts import MemoryArtifacts
from workers.artifacts import FsspecArtifacts


@pytest.fixture(params=["fake", "folder", "memory", "s3"])
def store(request, tmp_path):
    match request.param:
        case "fake":
            return MemoryArtifacts()
        case "folder":
            return FsspecArtifacts(str(tmp_path / "artifacts"))
        case "memory":
            return FsspecArtifacts(f"memory://artifacts-{uuid.uuid4().hex}")
    return FsspecArtifacts(f"{request.getfixturevalue('bucket')}/artifacts")


@pytest.mark.parametrize("content", [b"", b"ballots", bytes(range(256)) * 5000])
async def test_what_was_put_is_got(store, content):
    ref = await store.put(content)
    assert await store.get(ref) == content
    assert (ref.sha256, ref.bytes) == (hashlib.sha256(content).hexdigest(), len(content))


async def test_putting_again_gives_the_same_reference(store):
    assert await store.put(b"ballots") == await store.put(b"ballots")
    assert await store.put(b"ballots") != await store.put(b"other ballots")


async def test_an_unknown_digest_is_refused(store):
    ref = dataclasses.replace(await store.put(b"ballots"), sha256="0" * 64)
    with pytest.raises(Refusal, match="is not in this store"):
        await store.get(ref)


async def test_a_reference_with_a_wrong_length_is_refused(store):
    ref = dataclasses.replace(await store.put(b"ballots"), bytes=3)
    with pytest.raises(Refusal, match="was changed"):
        await store.get(ref)


@pytest.mark.parametrize("content", [b"", b"numbers", bytes(range(256)) * 5000])
async def test_what_was_put_can_be_looked_at_where_it_lies(store, content):
    ref = await store.put(content)
    view = await store.mapped(ref)
    assert bytes(view) == content
    assert view.readonly


async def test_what_is_looked_at_is_checked_as_what_is_read(store):
    ref = await store.put(b"numbers")
    for wrong, said in [
        ({"sha256": "0" * 64}, "is not in this store"),
        ({"bytes": 3}, "was changed"),
        ({"bytes": 0}, "was changed"),
    ]:
        with pytest.raises(Refusal, match=said):
            await store.mapped(dataclasses.replace(ref, **wrong))


async def test_changed_bytes_in_the_folder_are_not_looked_at(tmp_path):
    store = FsspecArtifacts(str(tmp_path))
    ref = await store.put(b"numbers")
    (file,) = _files(tmp_path)
    file.write_bytes(b"Numbers")
    with pytest.raises(Refusal, match="was changed"):
        await store.mapped(ref)
    with pytest.raises(Refusal, match="64 lower-case"):
        await store.mapped(dataclasses.replace(ref, sha256="../x"))


async def test_what_lies_in_an_object_store_is_looked_at_through_a_copy_without_a_name():
    store = FsspecArtifacts("memory://looked-at")
    ref = await store.put(b"numbers" * 1000)
    assert bytes(await store.mapped(ref)) == b"numbers" * 1000
    with pytest.raises(Refusal, match="is not in this store"):
        await store.mapped(dataclasses.replace(ref, sha256="0" * 64))


async def test_changed_bytes_are_refused_by_the_fake():
    store = MemoryArtifacts()
    ref = await store.put(b"ballots")
    store.damage(ref)
    with pytest.raises(Refusal, match="was changed"):
        await store.get(ref)


async def test_changed_bytes_in_the_folder_are_refused(tmp_path):
    store = FsspecArtifacts(str(tmp_path))
    ref = await store.put(b"ballots")
    (file,) = _files(tmp_path)
    file.write_bytes(b"Ballots")
    with pytest.raises(Refusal, match="was changed"):
        await store.get(ref)


async def test_a_half_written_file_is_put_whole_again(tmp_path):
    store = FsspecArtifacts(str(tmp_path))
    ref = await store.put(b"ballots")
    (file,) = _files(tmp_path)
    file.write_bytes(b"bal")
    await store.put(b"ballots")
    assert await store.get(ref) == b"ballots"


async def test_nothing_lies_beside_the_artifact(tmp_path):
    await FsspecArtifacts(str(tmp_path)).put(b"ballots")
    assert [file.name for file in _files(tmp_path)] == [hashlib.sha256(b"ballots").hexdigest()]


@pytest.mark.parametrize("digest", ["../../../../etc/passwd", "", "A" * 64, "0" * 63 + "/"])
async def test_a_digest_that_is_a_path_reads_no_other_file(tmp_path, digest):
    store = FsspecArtifacts(str(tmp_path))
    ref = dataclasses.replace(await store.put(b"ballots"), sha256=digest)
    with pytest.raises(Refusal, match="hexadecimal"):
        await store.get(ref)


async def test_what_another_process_changed_in_a_bucket_is_seen(bucket):
    import boto3

    store, other = FsspecArtifacts(f"{bucket}/a"), FsspecArtifacts(f"{bucket}/a")
    ref, later = await store.put(b"ballots"), await other.put(b"more ballots")
    assert set(await store.listed()) == {ref.sha256, later.sha256}
    assert await other.remove(later.sha256, datetime.now(UTC) + timedelta(hours=1))
    assert set(await store.listed()) == {ref.sha256}
    key = f"a/{ref.sha256[:2]}/{ref.sha256}"
    boto3.client("s3").put_object(Bucket=bucket.removeprefix("s3://"), Key=key, Body=b"Ballots")
    for read in (store.get, store.mapped):
        with pytest.raises(Refusal, match="was changed"):
            await read(ref)


async def test_a_bucket_that_is_not_there_is_refused_and_not_made(bucket):
    with pytest.raises(Refusal, match=r"^FOLKMOOT_ARTIFACTS: there is no bucket .*x; make it first$"):
        await FsspecArtifacts(f"{bucket}x/a").put(b"ballots")
    with pytest.raises(Refusal, match="there is no bucket"):
        await FsspecArtifacts(f"{bucket}x/a").put(b"ballots")


def test_a_place_that_no_driver_serves_is_refused_by_the_setting():
    with pytest.raises(Refusal, match="FOLKMOOT_ARTIFACTS: Protocol not known: nosuch"):
        FsspecArtifacts("nosuch://place")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_the_folders_of_artifacts_are_for_their_owner_alone(tmp_path):
    ref = await FsspecArtifacts(str(tmp_path / "artifacts")).put(b"ballots")
    file = Path(ref.uri.removeprefix("file://"))
    for folder in (file.parent, file.parent.parent):
        assert folder.stat().st_mode & 0o777 == 0o700


KEY = hashlib.sha256(b"what was asked").hexdigest()


async def test_an_answer_is_found_under_the_digest_of_what_was_asked(store):
    assert await store.answered(KEY) is None
    await store.keep(KEY, b"first")
    await store.keep(KEY, b"again")
    assert await store.answered(KEY) == b"again"


@pytest.mark.parametrize("key", ["", "../../etc/passwd", KEY.upper(), f"{KEY}\n"])
async def test_an_answer_lies_under_a_digest_and_nowhere_else(tmp_path, key):
    with pytest.raises(Refusal, match=r"^key: is not 64 lower-case hexadecimal digits$"):
        await FsspecArtifacts(str(tmp_path)).answered(key)
