"""The key that signs: never another in silence; another on purpose, and every auditor sees how."""

import asyncio
import re
from pathlib import Path

import pytest

from audit import announced
from audit.key_statement import KeyStatement
from audit.note import SigningKey
from eventlog.writer import LogWriter
from projections import sealing
from projections.signing_keys import KeyRow
from tests.integration.audit.bed import START
from workers.health import Health, _sealing


@pytest.fixture
async def sealed(bed):
    """Ten records, sealed; their partition."""
    partition = await bed.write(10)
    async with bed.sealing():
        await bed.sealed_up_to(10, partition)
    return partition


def put(place, key):
    file = Path(place)
    file.touch()
    file.chmod(0o600)
    file.write_text(key.secret())


def key_at(place):
    return SigningKey.parse(Path(place).read_text())


def files_of(place):
    return sorted(file.name for file in Path(place).parent.glob("signing.key*"))


async def refused(bed):
    """What the database says of the key; it is asked until it says something."""
    async with bed.connection() as connection:

        async def said():
            return await sealing.stopped(connection)

        (stopped,) = await bed.until(said, "refused")
    return stopped


def missing(place):
    Path(place).unlink()
    return "there is no key at"


def another(place):
    put(place, SigningKey.generate("example"))
    return "holds example"


def open_to_all(place):
    Path(place).chmod(0o644)
    return "has mode 0644"


@pytest.mark.parametrize("change", [missing, another, open_to_all])
async def test_a_key_that_is_not_the_one_that_signed_last_signs_nothing(bed, sealed, change):
    problem = change(bed.place)
    await bed.write(1)
    async with bed.sealing():
        said = await refused(bed)
        assert said.reason.startswith(f"{bed.key.verifier.short} signed last, but ")
        assert problem in said.reason
        assert bed.place in said.reason
        assert "`moot audit key --lost" in said.reason
        part = _sealing(Health("projector"), [said], [], {})
        assert part.problem == f"seals nothing: {said.reason}"
        put(bed.place, bed.key)
        await bed.sealed_up_to(11, sealed)  # it goes on by itself once the key is back
    async with bed.connection() as connection:
        assert await sealing.stopped(connection) == []
        assert await connection.fetchval("SELECT count(*) FROM signing_key") == 1


async def test_a_lost_database_does_not_make_another_key_the_first(bed, sealed):
    async with bed.connection() as connection:
        await connection.execute(
            "TRUNCATE signing_key, checkpoint, merkle_tile; DELETE FROM projection_offset"
        )
    another(bed.place)
    async with bed.sealing():
        assert (await refused(bed)).reason.startswith(f"{bed.key.verifier.short} signed last")


async def test_checkpoints_without_an_announced_key_are_taken_for_no_beginning(bed, sealed):
    async with bed.connection() as connection:
        await connection.execute("TRUNCATE signing_key")
        await bed.taken_in(connection, 2)  # or else it would be taken in again
    async with bed.sealing():
        assert "no key was announced: use an empty database" in (await refused(bed)).reason


async def test_the_command_makes_no_key_where_another_one_signed(bed, sealed, moot):
    missing(bed.place)
    status, out, err = await moot("key")
    assert (status, out) == (1, "")
    assert re.fullmatch(rf"moot: signing_key: {re.escape(bed.key.verifier.short)} signed last, .*\n", err)
    assert files_of(bed.place) == []


async def test_a_rotated_key_goes_on_while_the_sealer_runs_and_both_verify(bed, sealed, moot):
    async with bed.sealing() as sealer:
        status, out, err = await moot("key", "--rotate")
        assert (status, err) == (0, "")
        new, kept = out.splitlines()
        assert (await moot("key", servers=False))[1] == f"{new}\n"
        assert key_at(kept.rpartition(" ")[2]).verifier == bed.key.verifier
        await bed.write(1)
        await bed.sealed_up_to(11, sealed)
        assert sealer.stopped == {}
    for trusted in ([], ["--key", bed.key.verifier], ["--key", new]):
        status, out, _ = await moot("verify", *trusted)
        assert (status, "everything is as it was sealed" in out) == (0, True), out
    status, out, _ = await moot("key", "--history")
    assert out.splitlines() == [f"1  {bed.key.verifier}  the first", f"2  {new}  signed by the key before it"]
    assert (await moot("trail", "checkpoints/keys"))[1].count("signs from here on") == 2
    note = (await moot("checkpoint"))[1]
    assert note.splitlines()[1] == "11"
    assert files_of(bed.place) == ["signing.key", f"signing.key.{bed.key.verifier.key_id.hex()}"]


async def test_the_replaced_key_signs_nothing_more_and_what_it_signs_yet_is_named(bed, sealed, moot):
    await moot("key", "--rotate")
    put(bed.place, bed.key)
    await bed.write(1)
    async with bed.sealing():
        assert "signed last, but" in (await refused(bed)).reason
    await bed.publish(sealed, 11, bytes(32), version=2)
    status, out, _ = await moot("verify", "--key", bed.key.verifier)
    assert status == 1
    assert re.search(
        rf"checkpoint: of 11 records is signed by {re.escape(bed.key.verifier.short)}, which was replaced",
        out,
    )


async def test_a_rotation_that_was_not_finished_says_where_the_new_key_lies(bed, sealed, moot):
    _, out, _ = await moot("key", "--rotate")
    key_id = out.split("+")[1]
    put(f"{bed.place}.{key_id}", key_at(bed.place))
    put(bed.place, bed.key)
    async with bed.sealing():
        assert (await refused(bed)).reason.endswith(f"; move {bed.place}.{key_id} there")


async def test_a_key_may_come_from_elsewhere(bed, sealed, moot, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    status, out, _ = await moot("key", "--rotate", "--to", elsewhere)
    assert (status, "set FOLKMOOT_SIGNING_KEY" in out) == (0, True)
    bed.place = f"command:cat {elsewhere}"
    await bed.write(1)
    async with bed.sealing():
        await bed.sealed_up_to(11, sealed)
    status, _, err = await moot("key", "--rotate")
    assert (status, "say with --to where the new key is" in err) == (1, True)


async def test_a_lost_key_is_a_break_that_every_auditor_sees(bed, sealed, moot):
    missing(bed.place)
    status, out, err = await moot("key", "--lost", "--as", "Ada", "--why", "the host burnt down")
    assert (status, err) == (0, "")
    new = out.strip()
    await bed.write(1)
    async with bed.sealing():
        await bed.sealed_up_to(11, sealed)
    told = "is not signed by the key before it: lost, says Ada: the host burnt down"
    for trusted, number in (([], 1), (["--key", bed.key.verifier], 2)):
        status, out, _ = await moot("verify", *trusted)
        assert (status, told in out, out.count("no signature links")) == (1, True, 1), out
        assert f"no signature links key {number}, " in out
        assert "1 finding" in out
    status, out, _ = await moot("verify", "--key", bed.key.verifier, "--key", new)
    assert (status, told in out, "everything is as it was sealed" in out) == (0, True, True), out


async def test_a_forged_loss_of_a_key_that_is_here_ends_no_sealing(bed, sealed, moot):
    stranger = SigningKey.generate("example")
    loss = KeyStatement(bed.chain().origin, 2, stranger.verifier, bed.key.verifier, "Eve: trust me")
    row = KeyRow(2, stranger.sign(loss.text()), START, published=True)
    async with LogWriter(bed.kafka, bed.prefix) as writer:
        await writer.append("checkpoints", [announced.to_event(row)])
    await bed.publish(sealed, 9, bytes(32), version=2, key=stranger)
    await bed.write(1)
    async with bed.sealing() as sealer:
        await bed.sealed_up_to(11, sealed)
        assert sealer.stopped == {}
        status, out, err = await moot("key", "--rotate")
        assert (status, err.count("Traceback")) == (0, 0)
        await bed.write(1)
        await bed.sealed_up_to(12, sealed)
    status, out, _ = await moot("verify", "--key", bed.key.verifier)
    stranger, real = stranger.verifier.short, bed.key.verifier.short
    told = f"{stranger} is announced because {real} was lost, but that signed on"
    assert (status, told in out, "2 findings" in out) == (1, True, True), out
    assert f"is signed by {stranger}, a key that was never announced" in out


async def test_a_checkpoint_by_a_key_that_was_never_announced_is_named(bed, sealed, moot):
    stranger = SigningKey.generate("example")
    await bed.publish(sealed, 9, bytes(32), version=2, key=stranger)
    status, out, _ = await moot("verify")
    assert status == 1
    assert f"is signed by {stranger.verifier.short}, a key that was never announced" in out


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE signing_key SET note = replace(note, 'key', 'kez')", "the row of key 1 is not what was"),
        ("DELETE FROM signing_key", "the row of key 1 is not what was announced"),
        (
            "INSERT INTO signing_key SELECT 2, note, announced_at, true FROM signing_key",
            "the row of key 2 is not what was announced",
        ),
    ],
)
async def test_an_edited_row_of_the_keys_is_named(bed, sealed, moot, change, problem):
    async with bed.connection() as connection:
        await connection.execute(change)
    status, out, _ = await moot("verify")
    assert (status, f"signing_key: {problem}" in out.replace("signing_key ", "signing_key: ")) == (1, True), (
        out
    )


async def test_a_rotation_waits_for_the_sealer_and_the_sealer_for_it(bed, moot):
    """Under a running sealer, several times: no checkpoint of an old key lies behind its end."""
    partition = await bed.write(1)
    async with bed.sealing(interval=0.01) as sealer:
        await bed.sealed_up_to(1, partition)
        for _ in range(3):
            writing = asyncio.create_task(bed.write(50))
            status, _, err = await moot("key", "--rotate")
            assert (status, err) == (0, "")
            await writing
        await bed.sealed_up_to(151, partition)
        assert sealer.stopped == {}
    status, out, _ = await moot("verify")
    assert (status, "everything is as it was sealed" in out) == (0, True), out


@pytest.mark.parametrize(
    "words",
    [
        ["--rotate", "--lost", "--as", "Ada", "--why", "x"],
        ["--to", "x"],
        ["--lost"],
        ["--lost", "--as", "Ada"],
        ["--as", "Ada", "--why", "x"],
        ["--history", "--rotate"],
    ],
)
async def test_options_that_do_not_go_together_are_misuse(moot, words):
    assert (await moot("key", *words))[0] == 2


async def test_nothing_is_rotated_or_lost_that_did_not_sign(bed, moot):
    for words in (["--rotate"], ["--lost", "--as", "Ada", "--why", "x"]):
        status, _, err = await moot("key", *words)
        assert (status, "no key is announced yet" in err, err.count("\n")) == (1, True, 1)
    status, _, err = await moot("key", "--lost", "--as", "Ada", "--why", "one\ntwo")
    assert (status, "is not one line of text" in err) == (1, True)


async def test_a_key_that_signs_is_not_announced_as_a_loss(bed, sealed, moot):
    status, _, err = await moot("key", "--lost", "--as", "Ada", "--why", "x")
    assert (status, f"{bed.key.verifier.short} signs already" in err) == (1, True)
