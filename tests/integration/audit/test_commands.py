"""`moot audit` as an auditor types it, on a real log: proofs, copies, and every kind of tampering."""

import asyncio
import json
import re
from contextlib import aclosing

import pytest

from audit.note import SigningKey
from eventlog.codec import decode
from eventlog.reader import LogReader
from eventlog.writer import LogWriter


@pytest.fixture
async def sealed(bed):
    """305 records of one stream, sealed; their partition and their events."""
    return await bed.filled()


async def test_a_proof_is_made_and_checked_with_no_server(moot, sealed, bed, tmp_path):
    partition, events = sealed
    event = events[123]
    status, out, err = await moot("prove", event.id, "-o", tmp_path / "proof")
    assert (status, err) == (0, "")
    assert f"decisions/{partition} offset 123 is leaf 123 of 305" in out
    key = (await moot("key", servers=False))[1].strip()
    assert key == str(bed.key.verifier)
    words = ("check", tmp_path / "proof.tlog-proof", "--key", key)
    status, out, err = await moot(*words, servers=False)
    assert (status, err) == (0, "")
    assert out == (
        f"event {event.id} (consensus.ballot_sealed.v1, consensus/one version {event.version})"
        f" is leaf 123 of 305 of {bed.origin(partition)}, signed by example\n"
    )
    found = json.loads((await moot(*words, "--json", servers=False))[1])
    assert (found["index"], found["event"]) == (123, event.id)
    leaf = tmp_path / "proof.leaf"
    leaf.write_bytes(leaf.read_bytes() + b"x")
    status, out, err = await moot(*words, servers=False)
    assert (status, out) == (1, "")
    assert re.fullmatch(r"moot: leaf: is not what was sealed at index 123 of \S+: the roots differ\n", err)


async def test_a_proof_waits_for_its_checkpoint(moot, sealed, bed, tmp_path):
    partition, _ = sealed
    event = bed.event("consensus/one")
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append("decisions", [event])
    proving = asyncio.create_task(moot("prove", event.id, "-o", tmp_path / "late"))
    async with bed.sealing():
        await bed.sealed_up_to(306, partition)
        status, out, _ = await proving
    assert (status, "is leaf 305 of 306" in out) == (0, True)


async def test_an_unknown_event_is_refused_in_one_line(moot, sealed, tmp_path):
    for name, problem in (
        ("01a1fee4-ab8c-7c35-8d12-9e258adf9e9d", "is not on the log"),
        ("00000000-0000-0000-0000-000000000000", "is not a UUIDv7"),
        ("x\x1b[31m", "is not a UUIDv7"),
        ("../../etc/passwd", "is not a UUIDv7"),
    ):
        status, out, err = await moot("prove", name, "-o", tmp_path / "p")
        assert (status, out) == (1, "")
        assert problem in err
        assert err.removesuffix("\n").isprintable()


async def test_a_checkpoint_is_not_proved_but_shown(moot, sealed, bed, tmp_path):
    async with (
        LogReader(bed.kafka, bed.prefix) as reader,
        aclosing(reader.batches("checkpoints", 0, 0, 1)) as batches,
    ):
        (record,) = [record async for batch in batches for record in batch]
    status, out, err = await moot("prove", decode(record.value).id, "-o", tmp_path / "p")
    assert (status, out, "is a checkpoint, which its own signature proves" in err) == (1, "", True)


async def test_bad_files_and_keys_are_refused_in_one_line(moot, bed, tmp_path):
    junk = tmp_path / "junk"
    key = str(bed.key.verifier)
    cases = [(b"", key), (b"\xff" * 100, key), (b"c2sp.org/tlog-proof@v1\n", key), (b"x" * 2_000_000, key)]
    cases += [(b"", "junk"), (b"", str(bed.key.verifier)[:-4]), (b"", "\x1b[2J")]
    for content, vkey in cases:
        junk.write_bytes(content)
        status, out, err = await moot("check", junk, "--key", vkey, servers=False)
        assert (status, out, err.count("\n")) == (1, "", 1), err
        assert err[:-1].isprintable()
    for path in (tmp_path / "absent", tmp_path):
        status, _, err = await moot("check", path, "--key", key, servers=False)
        assert (status, "cannot be read" in err) == (1, True)


async def test_the_newest_checkpoint_is_printed_as_it_was_signed(moot, sealed, bed):
    partition, _ = sealed
    status, out, _ = await moot("checkpoint", "--topic", "decisions", "--partition", partition)
    assert (status, out.splitlines()[:2]) == (0, [bed.origin(partition), "305"])
    (row,) = json.loads((await moot("checkpoint", "--json"))[1])
    assert (row["note"], row["size"]) == (out, 305)
    status, out, err = await moot("checkpoint", "--topic", "fleet")
    assert (status, out, "none is published yet" in err) == (1, "", True)


async def test_a_trail_is_readable_and_says_what_repeats(moot, sealed, bed):
    partition, events = sealed
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append("decisions", [events[0], bed.event("consensus/another")])
    status, out, _ = await moot("trail", "consensus/one")
    lines = out.splitlines()
    assert (status, len(lines)) == (0, 307)
    assert lines[7].startswith(f"decisions/{partition} offset 7  2026-11-21 12:00:00.007    8  ")
    assert "round 1: voter-7 hands in a sealed ballot" in lines[7]
    assert lines[-2].endswith("[written again]")
    assert lines[-1] == "read: the stream's whole partition", (
        "no projector ran, so no table knows where it is"
    )
    assert (await moot("trail", "consensus/one", "--scan"))[1] == out
    _, told, err = await moot("trail", "consensus/one", "--json")
    assert err == "read: the stream's whole partition\n"
    steps = json.loads(told)
    assert (steps[7]["id"], steps[7]["offset"], steps[7]["data"]["voter"]) == (events[7].id, 7, "voter-7")
    for stream in ("consensus/absent", "nothing/at-all", "x\x1b[31m"):
        status, out, err = await moot("trail", stream)
        assert (status, out, err.count("\n")) == (1, "", 1)


async def test_an_untouched_system_verifies(moot, sealed):
    status, out, err = await moot("verify")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"305 records in 10 logs, \d+ signed checkpoints, \d+ projections: everything is as it was sealed\n",
        out,
    )


async def test_another_key_is_not_trusted(moot, sealed, bed):
    stranger = SigningKey.generate("example").verifier
    status, out, _ = await moot("verify", "--key", stranger)
    assert status == 1
    ours = bed.key.verifier
    assert f"checkpoints/0 offset 0: no signature links key 1, {ours}, with {stranger.short}:" in out


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        ([("decisions", 0, "decisions/0")] * 2, "lists a log twice"),
        ([("decisions", 0, "decisions/1")], "example/decisions/1 is no origin of decisions/0"),
    ],
)
async def test_a_copy_that_names_its_logs_wrongly_is_refused(moot, tmp_path, index, problem):
    logs = [{"topic": t, "partition": p, "origin": f"example/{name}"} for t, p, name in index]
    (tmp_path / "logs.json").write_text(json.dumps(logs))
    status, _, err = await moot("verify", "--from", tmp_path, servers=False)
    assert (status, err) == (1, f"moot: logs.json: {problem}\n")


async def test_a_folder_that_is_no_copy_is_refused(moot, tmp_path):
    (tmp_path / "empty").mkdir()
    for content in (None, "{}", "[1]", '[{"topic": "../x", "partition": 0, "origin": "x"}]', "["):
        if content is not None:
            (tmp_path / "empty" / "logs.json").write_text(content)
        status, out, err = await moot("verify", "--from", tmp_path / "empty", servers=False)
        assert (status, out, err.count("\n")) == (1, "", 1)
