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
from workers import settings
from workers.projecting import Projecting
from workers.projector_metrics import ProjectorMetrics


@pytest.fixture
async def sealed(bed):
    """300 records of one stream, sealed; their partition and their events."""
    events = [bed.event("consensus/one") for _ in range(300)]
    async with LogWriter(bed.kafka, bed.prefix, linger_ms=5) as writer:
        positions = await writer.append("decisions", events)
    partition = positions[0].partition
    async with bed.sealing():
        await bed.sealed_up_to(300, partition)
        await bed.write(5)
        await bed.sealed_up_to(305, partition)
    return partition, events


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
        r"305 records in 6 logs, \d+ signed checkpoints, \d+ projections: everything is as it was sealed\n",
        out,
    )


async def test_another_key_is_not_trusted(moot, sealed, bed):
    stranger = SigningKey.generate("example").verifier
    status, out, _ = await moot("verify", "--key", stranger)
    assert status == 1
    ours = bed.key.verifier
    assert f"checkpoints/0 offset 0: no signature links key 1, {ours}, with {stranger.short}:" in out


ROW = r"checkpoint decisions/\d: the row of"
TILE = r"merkle_tile decisions/\d: tile"
COPIED = "topic, partition, 7, root, note, sealed_at, 9"
AHEAD = "(projection, topic, partition, next_offset) SELECT 'consensus', topic, partition, 312"
TAMPERINGS = [
    ("UPDATE checkpoint SET note = overlay(note placing 'A' from 40)", rf"{ROW} \d+ records is not what was"),
    ("UPDATE checkpoint SET root = sha256('x')", rf"{ROW} \d+ records is not what was published"),
    ("UPDATE checkpoint SET version = version + 1", rf"{ROW} \d+ records is not what was published"),
    ("DELETE FROM checkpoint WHERE size = 305", r"decisions/\d: the published checkpoint of 305 .* missing"),
    (
        f"INSERT INTO checkpoint SELECT {COPIED}, true FROM checkpoint WHERE size = 305",
        rf"{ROW} 7 records is not on the topic checkpoints",
    ),
    (
        f"INSERT INTO checkpoint SELECT {COPIED}, false FROM checkpoint WHERE size = 305",
        rf"{ROW} 7 records is not what its note says",
    ),
    (
        "UPDATE merkle_tile SET hashes = overlay(hashes placing '\\xff' from 545) WHERE level + tile = 0",
        r"decisions/\d offset 17: its stored hash was changed, the log agrees with the checkpoint of",
    ),
    (
        "UPDATE merkle_tile SET hashes = overlay(hashes placing '\\xffff' from 3) WHERE level = 1",
        rf"{TILE} 0 of level 1 is not the log's",
    ),
    ("DELETE FROM merkle_tile WHERE level = 1", rf"{TILE} 0 of level 1 is not the log's"),
    (
        "UPDATE merkle_tile SET first_offset = 1 WHERE level = 0 AND tile = 0",
        rf"{TILE} 0 of level 0 names other offsets",
    ),
    (
        "UPDATE merkle_tile SET last_offset = 299 WHERE level = 0 AND tile = 1",
        rf"{TILE} 1 of level 0 names other offsets",
    ),
    ("DELETE FROM merkle_tile WHERE tile = 1", r"merkle_tile decisions/\d: hold 256 of the 305 leaves"),
    (
        "INSERT INTO merkle_tile SELECT topic, partition, 2, 0, hashes FROM merkle_tile WHERE level = 1",
        rf"{TILE} 0 of level 2 is none",
    ),
    (
        f"INSERT INTO projection_offset {AHEAD} FROM projection_offset WHERE next_offset = 305",
        r"decisions/\d offset 305: the projections have read up to offset 312, but the log ends at 305",
    ),
]


@pytest.mark.parametrize(("statement", "finding"), TAMPERINGS)
async def test_what_is_changed_in_the_database_is_named(moot, sealed, bed, statement, finding):
    async with bed.connection() as connection:
        await connection.execute(statement)
    status, out, err = await moot("verify")
    assert (status, err) == (1, "")
    assert re.search(finding, out), out


async def test_a_row_that_is_not_what_the_log_says_is_named(moot, sealed, bed, tmp_path):
    partition, _ = sealed
    found = settings.load(
        tmp_path,
        {
            "FOLKMOOT_KAFKA": bed.kafka,
            "FOLKMOOT_DATABASE_URL": bed.database,
            "FOLKMOOT_TOPIC_PREFIX": bed.prefix,
        },
        needs=("kafka", "database_url"),
    )
    projecting = Projecting(found, ProjectorMetrics())
    running = asyncio.create_task(projecting.project(["decisions"], [], lambda: None))
    async with bed.connection() as connection:

        async def caught_up():
            return await connection.fetchval(
                "SELECT bool_and(next_offset = 305) FROM projection_offset"
                " WHERE projection = 'consensus' AND topic = 'decisions' AND partition = $1",
                partition,
            )

        await bed.until(caught_up, "caught up")
        running.cancel()
        await asyncio.wait([running])
        assert (await moot("verify"))[0] == 0
        await connection.execute("UPDATE dead_letter SET reason = 'invented' WHERE log_offset = 17")
    status, out, _ = await moot("verify")
    assert status == 1
    assert re.search(
        r"projection consensus: is not what the log says: dead_letter .* reason is .*invented", out
    )


@pytest.fixture
async def copy(moot, sealed, tmp_path):
    """An exported copy of the sealed log; its folder and the file of the records."""
    folder = tmp_path / "copy"
    status, out, _ = await moot("export", folder)
    assert (status, out) == (0, f"305 sealed records copied to {folder}\n")
    return folder, folder / f"decisions-{sealed[0]}.records"


async def test_a_copy_verifies_with_no_server(moot, copy):
    status, out, _ = await moot("verify", "--from", copy[0], servers=False)
    assert status == 0
    assert "305 records in 6 logs" in out
    status, _, err = await moot("export", copy[0])
    assert (status, "cannot be made: File exists" in err) == (1, True)


def records_of(file):
    """The pieces of a file of records, one each."""
    return re.findall(rb"\d+ \d+ \d+ \d+\n.*?\n", file.read_bytes())


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda r: [*r[:50], r[50].replace(b"voter-50", b"voter-05"), *r[51:]], "offset 50: changed after"),
        (lambda r: [*r[:50], *r[51:]], "offset 51: removed: the record here is a later one after"),
        (lambda r: r[:-1], "offset 304: removed after it was sealed as leaf 304 of 305"),
        (lambda _: [], "offset 0: removed after it was sealed as leaf 0"),
        (lambda r: [r[0], *(swap(r[1], r[2])), *r[3:]], "offset 1: reordered after"),
        (
            lambda r: [*r, swap(r[0], r[-1])[1].replace(b"304 ", b"305 ", 1)],
            "holds 1 record that no checkpoint",
        ),
        (
            lambda r: [r[0].replace(b"consensus/one", b"consensus/two", 1), *r[1:]],
            "offset 0: the record's key",
        ),
        (lambda r: [re.sub(rb"(?<=^0 )\d", b"2", r[0]), *r[1:]], "offset 0: the record's time is not"),
        (lambda r: [*r[:9], b"junk\n", *r[9:]], "is damaged after the record of offset 8"),
        (lambda r: [*r[:-1], r[-1][:-9]], "is damaged after the record of offset 303"),
    ],
)
async def test_what_is_changed_in_a_copy_is_named(moot, copy, sealed, change, finding):
    folder, file = copy
    before = records_of(file)
    assert len(before) == 305
    file.write_bytes(b"".join(change(before)))
    status, out, _ = await moot("verify", "--from", folder, servers=False)
    assert status == 1
    assert finding in out
    assert out.startswith(f"decisions/{sealed[0]}")


def swap(one, other):
    """Two records in each other's place, with the offsets left where they were."""
    heads = [piece.split(b" ", 1) for piece in (one, other)]
    return heads[0][0] + b" " + heads[1][1], heads[1][0] + b" " + heads[0][1]


@pytest.mark.parametrize("part", ["note", "root", "size", "origin", "gone", "key", "cut"])
async def test_what_is_changed_in_a_copys_checkpoints_is_named(moot, copy, part):
    folder, _ = copy
    file = folder / "checkpoints-0.records"
    raw = file.read_bytes()
    changed = {
        "note": raw.replace(b"\\n305\\n", b"\\n304\\n"),
        "root": re.sub(rb'"root":"(.)', lambda m: b'"root":"' + (b"A" if m[1] != b"A" else b"B"), raw),
        "size": raw.replace(b'"size":305', b'"size":304'),
        "origin": raw.replace(b'"origin":"example', b'"origin":"examplf'),
        "gone": b"".join(records_of(file)[:1] + records_of(file)[2:]),
        "key": b"".join(records_of(file)[1:]),
        "cut": raw[:-5],
    }[part]
    assert changed != raw
    file.write_bytes(changed)
    status, out, _ = await moot("verify", "--from", folder, servers=False)
    assert (status, out.startswith("checkpoints/0")) == (1, True), out


async def test_a_note_that_was_kept_shows_what_is_gone_of_a_copy(moot, copy, tmp_path):
    folder, records = copy
    kept = tmp_path / "kept"
    kept.write_text((await moot("checkpoint"))[1])
    words = ("verify", "--from", folder, "--checkpoint", kept)
    assert (await moot(*words, servers=False))[0] == 0
    for gone in (records, folder / "checkpoints-0.records"):
        gone.write_bytes(b"")
    assert (await moot(*words[:3], servers=False))[0] == 0, "a copy of the very beginning is a sound one"
    status, out, _ = await moot(*words, servers=False)
    assert status == 1
    assert re.search(r"offset 0: .*removed after it was sealed as leaf 0 of 305", out), out


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


@pytest.mark.parametrize("name", ["logs.json", "checkpoints-0.records", "fleet-0.hashes", "fleet-0.records"])
async def test_a_copy_with_a_file_missing_is_refused_or_named(moot, copy, name):
    (copy[0] / name).unlink()
    status, out, err = await moot("verify", "--from", copy[0], servers=False)
    assert status == 1
    assert name in out + err
    assert "Traceback" not in err


async def test_a_folder_that_is_no_copy_is_refused(moot, tmp_path):
    (tmp_path / "empty").mkdir()
    for content in (None, "{}", "[1]", '[{"topic": "../x", "partition": 0, "origin": "x"}]', "["):
        if content is not None:
            (tmp_path / "empty" / "logs.json").write_text(content)
        status, out, err = await moot("verify", "--from", tmp_path / "empty", servers=False)
        assert (status, out, err.count("\n")) == (1, "", 1)
