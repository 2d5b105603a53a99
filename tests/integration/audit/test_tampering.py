"""Every kind of tampering, with the database and with a copy of the log, is named by `moot audit verify`.

The log is sealed once: each test changes a database or a folder of its own, copied from what was sealed.
"""

import asyncio
import re
import shutil
import uuid
from dataclasses import replace

import pytest

from tests.integration.audit.bed import Bed
from workers import settings
from workers.projecting import Projecting
from workers.projector_metrics import ProjectorMetrics


@pytest.fixture(scope="module")
async def once(kafka, databases, migrated, tmp_path_factory):
    """The sealed log, and what sealing it told."""
    async with databases(migrated) as url:
        bed = await Bed.made(kafka, f"t{uuid.uuid4().hex[:10]}.", url, tmp_path_factory.mktemp("once"))
        yield bed, await bed.filled()


@pytest.fixture
async def bed(once, databases):
    """The sealed log with a copy of its database, as from a backup."""
    async with databases(once[0].database) as url:
        yield replace(once[0], database=url)


@pytest.fixture
def sealed(once):
    return once[1]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Where the first test that asks exports the log."""
    return tmp_path_factory.mktemp("exported") / "log"


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
async def copy(exported, sealed, moot, tmp_path):
    """The copy of the sealed log, exported once and copied again; its folder and the file of the records."""
    folder = tmp_path / "copy"
    if not exported.exists():
        status, out, _ = await moot("export", exported)
        assert (status, out) == (0, f"305 sealed records copied to {exported}\n")
    shutil.copytree(exported, folder)
    return folder, folder / f"decisions-{sealed[0]}.records"


async def test_a_copy_verifies_with_no_server(moot, copy):
    status, out, _ = await moot("verify", "--from", copy[0], servers=False)
    assert status == 0
    assert "305 records in 10 logs" in out
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


@pytest.mark.parametrize("name", ["logs.json", "checkpoints-0.records", "fleet-0.hashes", "fleet-0.records"])
async def test_a_copy_with_a_file_missing_is_refused_or_named(moot, copy, name):
    (copy[0] / name).unlink()
    status, out, err = await moot("verify", "--from", copy[0], servers=False)
    assert status == 1
    assert name in out + err
    assert "Traceback" not in err
