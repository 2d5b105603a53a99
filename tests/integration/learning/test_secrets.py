"""No key, seed, share, noise key or row is found in clear where others read; what was put there is found."""

import base64
import secrets

import asyncpg
import numpy as np
import pytest
import structlog
from aiokafka import AIOKafkaConsumer

from activities.privacy.wire import DEALT_BYTES, unpack
from domain.learning.shamir import SHARE_BYTES
from domain.stream import budget_stream, learning_stream
from eventlog.reader import LogReader
from projections.engine import PartitionProjector
from tests.integration.learning.private import Working, private
from tests.integration.projections.bed import Seen

pytest.importorskip("dp_accounting")
pytest.importorskip("tenseal")
PRIVACY = (
    {"method": "secure_mpc", "clip": 8.0},
    {"method": "homomorphic_encryption", "key_holder": "c003", "clip": 8.0},
    {"method": "hybrid", "noise_multiplier": 1.0, "clip": 2.0, "budget": 1_000.0},
    {"method": "differential_privacy", "noise_multiplier": 1.0, "clip": 2.0, "budget": 1_000.0},
    {"method": "differential_privacy", "place": "local", "noise_multiplier": 1.0, "budget": 1_000.0},
)
TEN = {"share": 1, "minimum": 6, "size": 10}
SHOWN = 24
"""Bytes by which a long secret is looked for: the beginning of it, and its middle."""


def needles(secret):
    """As it is, in hex, and in base64 at each of the three places where it can begin."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret)
        middle = whole[4 if before else 0 : len(whole) // 4 * 4 - 4]
        yield middle
        yield middle.translate(bytes.maketrans(b"+/", b"-_"))


def found_in(secret, place):
    return any(needle in place for needle in needles(secret))


def secret_key(context):
    """Of a CKKS context without the public key, which everybody may have."""
    import tenseal

    return tenseal.context_from(context).serialize(
        save_public_key=False, save_secret_key=True, save_galois_keys=False, save_relin_keys=False
    )


def secrets_of(ten):
    """By name, everything that only one journal, or nothing but a node, may have."""
    found = {f"identity of {host}": key.private_bytes_raw() for host, key in ten.keys.items()}
    for where, journal in {"aggregator": ten.aggregator, **ten.journals}.items():
        for key, value in journal.ever.items():
            if key.endswith(("/seed", "/private", "noise-key")):
                found[f"{where} {key}"] = value
            elif key.endswith("/ckks"):
                alone = secret_key(value)
                assert alone[len(alone) // 2 :][:SHOWN] in value
                found[f"{where} {key}"] = alone[len(alone) // 2 :][:SHOWN]
            elif "/c000/" not in key:
                continue  # one client's shares are enough to look for
            elif key.endswith("/pairs"):
                found[f"{where} {key}"] = value[2 : 2 + SHOWN]
            elif key.endswith("/dealt"):
                for peer, raw in [*unpack(value, DEALT_BYTES, 10, "dealt").items()][:4]:
                    found[f"{where} {key} {peer} mask"] = raw[1:SHARE_BYTES]
                    found[f"{where} {key} {peer} own"] = raw[SHARE_BYTES + 1 :]
    return found


async def histories(ten, streams):
    whole = b""
    for stream in streams:
        async for event in ten.client.get_workflow_handle(stream).fetch_history_events():
            whole += event.SerializeToString()
    return whole


async def kafka_records(bootstrap, prefix):
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        topics = [name for name in await consumer.topics() if name.startswith(prefix)]
        consumer.subscribe(topics)
        whole = b""
        while records := await consumer.getmany(timeout_ms=4_000):
            for record in (one for some in records.values() for one in some):
                headers = b"".join(key.encode() + value for key, value in record.headers)
                whole += (record.key or b"") + headers + (record.value or b"")
        return whole
    finally:
        await consumer.stop()


async def tables_of(url, kafka, topics):
    """Everything of the log in our tables, and then every row of every table."""
    connection = await asyncpg.connect(url)
    try:
        async with LogReader(*kafka) as reader:
            for topic in topics:
                for partition in await reader.partitions(topic):
                    _, end = await reader.beginning_and_end(topic, partition)
                    await PartitionProjector(reader, connection, topic, partition, Seen()).follow(end)
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await connection.fetch(f'SELECT t::text FROM "{one[0]}" t') for one in names]
        return "\n".join(row[0] for some in rows for row in some).encode()
    finally:
        await connection.close()


def files_below(folder):
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_no_secret_is_found_where_others_read_and_what_is_put_there_is(
    fleet, tables, tmp_path, capfd, caplog
):
    caplog.set_level("DEBUG")
    ten = await private(fleet)
    planted = secrets.token_bytes(32)
    row = np.random.Generator(np.random.PCG64(7)).uniform(0, 1, 64).astype(np.float32)
    ten.rows["c004"].all["x"][0] = row
    streams = []
    async with Working(ten):
        for number, privacy in enumerate(PRIVACY):
            named = {"ledger": f"l{number}-{ten.name}"} if "noise_multiplier" in privacy else {}
            model = f"m{number}-{planted.hex() if number == 0 else ''}"
            request = await ten.request(rounds=2, cohort=TEN, privacy=privacy | named, model=model)
            assert (await ten.run(request))["participants"] == 10
            streams += [learning_stream(request["id"]), *map(budget_stream, named.values())]
    structlog.get_logger().warning("planted", value=planted.hex())
    await ten.artifacts.put(planted)
    said = capfd.readouterr()
    places = {
        "histories": await histories(ten, streams),
        "Kafka": await kafka_records(*ten.kafka),
        "Postgres": await tables_of(tables, ten.kafka, ("learning",)),
        "log": (said.out + said.err + caplog.text).encode(),
        "artifacts": files_below(tmp_path),
    }
    hidden = secrets_of(ten) | {"row": row.tobytes()[64:88], "row as text": repr(float(row[3])).encode()}
    kinds = {name.rpartition("/")[2].split()[-1] for name in hidden}
    assert {"seed", "private", "noise-key", "ckks", "pairs", "mask", "own", "row"} <= kinds
    assert {where for where, content in places.items() if found_in(planted, content)} == places.keys()
    assert [
        (name, where)
        for name, secret in hidden.items()
        for where, content in places.items()
        if found_in(secret, content)
    ] == []
