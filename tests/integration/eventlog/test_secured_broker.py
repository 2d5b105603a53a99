"""A broker that wants TLS and a password, as production's does: the whole log works over it."""

import datetime as dt
import ipaddress
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from eventlog.reader import LogReader
from eventlog.topic_setup import ensure_topics
from eventlog.writer import LogWriter
from tests.unit.eventlog.examples import ballot
from workers.embedded import ports
from workers.embedded.guard import Guard
from workers.embedded.kafka import Kafka
from workers.embedded.supervised import Supervised

PASSWORD = "correct horse"


class Secured(Kafka):
    """The embedded broker with one more listener: TLS, and SASL PLAIN above it."""

    def __init__(self, folder: Path, secured: int) -> None:
        plain = ports.free({secured})
        super().__init__(folder, plain, ports.free({secured, plain}), os.environ, lambda *_: None)
        self.secured = secured

    def _write_properties(self, folder: str) -> str:
        file = self._folder.parent / super()._write_properties(folder)
        text = file.read_text()
        login = (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_moot="{PASSWORD}" username="moot" password="{PASSWORD}";'
        )
        text = text.replace("listeners=PLAINTEXT", f"listeners=SAFE://127.0.0.1:{self.secured},PLAINTEXT")
        text = text.replace("map=PLAINTEXT", "map=SAFE:SASL_SSL,PLAINTEXT")
        text += (
            "inter.broker.listener.name=PLAINTEXT\n"
            f"listener.name.safe.ssl.keystore.type=PEM\n"
            f"listener.name.safe.ssl.keystore.location={self._folder.parent / 'broker.pem'}\n"
            "listener.name.safe.sasl.enabled.mechanisms=PLAIN\n"
            f"listener.name.safe.plain.sasl.jaas.config={login}\n"
        )
        file.write_text(text)
        return file.name


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, guard: Guard) -> Iterator[str]:
    """The URL of the secured listener, with the broker's own certificate as the authority."""
    folder = tmp_path_factory.mktemp("secured")
    _certificate(folder)
    part = Secured(folder / "kafka", ports.free())
    supervised = Supervised(part, folder / "kafka.log", guard, os.environ, lambda *_: None)
    supervised.start()
    try:
        supervised.wait_until_ready()
        yield f"kafkas://moot:correct%20horse@127.0.0.1:{part.secured}?mechanism=PLAIN&ca={folder / 'ca.pem'}"
    finally:
        supervised.stop()


def _certificate(folder: Path) -> None:
    """A key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(certificate)
    (folder / "broker.pem").write_bytes(private + certificate)


async def test_topics_writing_and_reading_work_over_tls_with_a_password(secured, topic_prefix):
    event = ballot()
    await ensure_topics(secured, topic_prefix)
    async with LogWriter(secured, topic_prefix) as writer:
        (position,) = await writer.append("decisions", [event])
    async with LogReader(secured, topic_prefix) as reader:
        found = await reader.find(event.id)
    assert (found.partition, found.offset) == (position.partition, position.offset)


async def test_a_wrong_password_is_said_without_saying_it(secured, topic_prefix):
    wrong = secured.replace("correct", "wrong")
    with pytest.raises((ConnectionError, TimeoutError)) as refused:
        await ensure_topics(wrong, topic_prefix, deadline=5)
    assert "wrong" not in str(refused.value)
