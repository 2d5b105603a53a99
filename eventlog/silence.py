"""A Kafka that does not answer, in one line of our own."""

import logging

from aiokafka.errors import KafkaConnectionError, KafkaError

from eventlog.connection import shown

# A command sets up no logging: without a handler Python would print the client's own words beside ours.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


def silence(kafka: str, error: KafkaError) -> str:
    """Where it does not answer; the client's fault by name, unless it is just that."""
    more = "" if isinstance(error, KafkaConnectionError) else f" ({type(error).__name__})"
    return f"Kafka at {shown(kafka)} does not answer{more}"
