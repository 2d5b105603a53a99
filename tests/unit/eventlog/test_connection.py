"""How Kafka is reached: addresses, TLS, credentials, and no password in any message."""

import ssl

import pytest

from domain.refusal import Refusal
from eventlog.connection import addresses, in_clear, options, shown


def test_a_bootstrap_list_is_taken_as_it_stands():
    assert options("a:9092,b:9093") == {"bootstrap_servers": "a:9092,b:9093"}
    assert addresses("a:9092,b:9093") == [("a", 9092), ("b", 9093)]


def test_a_url_says_tls_mechanism_and_who_we_are():
    found = options("kafkas://m%40ot:p%2Fw@a:9093,b:9093?mechanism=PLAIN")
    assert isinstance(found.pop("ssl_context"), ssl.SSLContext)
    assert found == {
        "bootstrap_servers": "a:9093,b:9093",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "m@ot",
        "sasl_plain_password": "p/w",
    }


@pytest.mark.parametrize(
    ("kafka", "protocol", "clear"),
    [
        ("kafka://a:1", "PLAINTEXT", True),
        ("kafka://u:p@a:1", "SASL_PLAINTEXT", True),
        ("kafkas://a:1", "SSL", False),
        ("kafkas://u:p@a:1", "SASL_SSL", False),
    ],
)
def test_the_scheme_and_the_user_choose_the_protocol(kafka, protocol, clear):
    assert options(kafka)["security_protocol"] == protocol
    assert in_clear(kafka) is clear


def test_scram_is_the_default_mechanism():
    assert options("kafkas://u:p@a:1")["sasl_mechanism"] == "SCRAM-SHA-512"


@pytest.mark.parametrize(
    "kafka",
    [
        "nowhere",
        "a:port",
        "a:99999",
        "http://a:1",
        "kafkas://a:1?colour=red",
        "kafkas://u:p@a:1?mechanism=OAUTH",
        "kafkas://a:1?ca=/nowhere/ca.pem",
        "kafkas://u:p@",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(kafka):
    with pytest.raises(Refusal, match="FOLKMOOT_KAFKA") as refusal:
        options(kafka)
    assert ":p@" not in str(refusal.value)


@pytest.mark.parametrize("kafka", ["a:1,b:2", "kafka://a:1,b:2", "kafkas://u:p@a:1,b:2?mechanism=PLAIN"])
def test_what_is_shown_are_the_addresses_alone(kafka):
    assert shown(kafka) == "a:1,b:2"
