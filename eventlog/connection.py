"""How to reach Kafka: a bootstrap list, or a URL that also says TLS and who we are."""

import ssl
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from domain.refusal import Refusal

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SCHEMES = ("kafka", "kafkas")
_FIELD = "FOLKMOOT_KAFKA"
_KNOWN = frozenset({"mechanism", "ca", "cert", "key"})


def options(kafka: str) -> dict[str, Any]:
    """What every client of aiokafka is given to connect.

    `kafka` is `host:port[,host:port…]`, or `kafka://` (in clear) or `kafkas://` (TLS) with
    `[user:password@]host:port[,host:port…][?mechanism=SCRAM-SHA-512&ca=FILE&cert=FILE&key=FILE]`: the SASL
    mechanism, the authorities to trust, and a client certificate. User and password are percent-encoded.

    Raises:
        Refusal: it is neither, or a file of it cannot be used.
    """
    if "://" not in kafka:
        return {"bootstrap_servers": _servers(kafka)}
    url, asked = _parsed(kafka)
    found: dict[str, Any] = {"bootstrap_servers": _servers(url.netloc.rpartition("@")[2])}
    sasl = url.username is not None
    if url.scheme == "kafkas":
        found["ssl_context"] = _context(asked)
    below = "SSL" if url.scheme == "kafkas" else "PLAINTEXT"
    found["security_protocol"] = f"SASL_{below}" if sasl else below
    if sasl:
        found["sasl_mechanism"] = asked.get("mechanism", MECHANISMS[0])
        found["sasl_plain_username"] = unquote(url.username or "")
        found["sasl_plain_password"] = unquote(url.password or "")
    return found


def shown(kafka: str) -> str:
    """The addresses alone: a password ends up in no message."""
    return kafka.rpartition("@")[2].partition("?")[0].rpartition("//")[2]


def addresses(kafka: str) -> list[tuple[str, int]]:
    """Host and port of every bootstrap server."""
    pairs = (server.rpartition(":") for server in options(kafka)["bootstrap_servers"].split(","))
    return [(host, int(port)) for host, _, port in pairs]


def in_clear(kafka: str) -> bool:
    """Whether a server there can be spoken to without TLS."""
    return not kafka.startswith("kafkas://")


def _parsed(kafka: str) -> tuple[SplitResult, dict[str, str]]:
    url = urlsplit(kafka)
    asked = dict(parse_qsl(url.query))
    if url.scheme not in SCHEMES:
        raise Refusal(_FIELD, "is neither host:port nor begins with kafka:// or kafkas://")
    unknown = sorted(set(asked) - _KNOWN)
    if unknown:
        raise Refusal(_FIELD, f"has the unknown part {unknown[0]}; known are {', '.join(sorted(_KNOWN))}")
    if asked.get("mechanism", MECHANISMS[0]) not in MECHANISMS:
        raise Refusal(_FIELD, f"names no mechanism that is known: {', '.join(MECHANISMS)}")
    return url, asked


def _servers(text: str) -> str:
    for server in text.split(","):
        host, _, port = server.strip().rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 # the largest port
            raise Refusal(_FIELD, "is not host:port, several with commas between them")
    return ",".join(server.strip() for server in text.split(","))


def _context(asked: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=asked.get("ca"))
        if "cert" in asked:
            context.load_cert_chain(asked["cert"], asked.get("key"))
    except (OSError, ssl.SSLError) as error:
        raise Refusal(_FIELD, f"names a certificate that cannot be used: {error}") from None
    return context
