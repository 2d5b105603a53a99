"""The stored events as JSON Schema and as an AsyncAPI 3 document, made from the structs that read them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from docs.generate.meaning import meaning, names, parts, summary
from eventlog.catalogue import BY_TYPE
from eventlog.codec import decode
from eventlog.envelope import CURRENT, EARLIER
from eventlog.producing import HEADERS
from eventlog.topics import REGIONAL, TOPICS, family_of, settings, topic_of
from eventlog.upcast import UPCASTERS

Json = dict[str, Any]

_STRUCTS = {struct.__name__: stored for struct, stored in EARLIER.items()} | {
    CURRENT[event].__name__: stored for stored, event in BY_TYPE.items()
}
CLASSES: dict[str, type] = {
    **{stored: step.shape for stored, step in UPCASTERS.items()},
    **BY_TYPE,
}
_KAFKA_BINDING = "0.5.0"
_CHANNELS = {**TOPICS, **REGIONAL}
_REGION: Json = {"description": "the region whose copy it is: 1 to 40 lower-case letters, digits or -"}
_SHOWN_SETTINGS = ("retention.ms", "retention.bytes", "max.message.bytes")


def definitions(refer_to: str) -> Json:
    """A schema for each stored type, under its name, and for each class within; `refer_to` holds `{name}`."""
    structs = [*CURRENT.values(), *EARLIER]
    _, made = msgspec.json.schema_components(structs, ref_template="{name}")
    made = {
        _STRUCTS.get(name.rpartition(".")[2], name): _tidy(schema, refer_to) for name, schema in made.items()
    }
    for cls in {part for event in CLASSES.values() for part in parts(event)}:
        described = made.get(cls.__name__) or made[f"{cls.__module__}.{cls.__qualname__}"]
        described["description"] = summary(cls)
        for field in names(cls):
            described["properties"][field]["description"] = meaning(cls, field)
    for stored, cls in CLASSES.items():
        made[stored] |= {"title": stored, "description": summary(cls)}
    return dict(sorted(made.items()))


def _tidy(schema: Any, refer_to: str) -> Any:
    if isinstance(schema, list):
        return [_tidy(item, refer_to) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidy(value, refer_to) for key, value in schema.items()}
    if isinstance(name := tidy.get("$ref"), str):
        tidy["$ref"] = refer_to.format(name=_STRUCTS.get(name.rpartition(".")[2], name))
    if isinstance(pattern := tidy.get("pattern"), str):
        tidy["pattern"] = pattern.replace(r"\Z", "$")  # Python's way to say the end is no one else's
    return tidy


def json_schema() -> Json:
    """One document for all stored events; each type stands under its name in `$defs`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of Folkmoot",
        "description": "The value of a record: a CloudEvents 1.0 event in structured JSON.",
        "oneOf": [{"$ref": f"#/$defs/{stored}"} for stored in sorted(CLASSES)],
        "$defs": definitions("#/$defs/{name}"),
    }


def asyncapi(version: str, examples: Mapping[str, bytes]) -> Json:
    """The log as an AsyncAPI 3.0 document; `examples` maps each stored type to the bytes of one event."""
    topics = {stored: family_of(topic_of(decode(value).stream)) for stored, value in examples.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Folkmoot event log",
            "version": version,
            "description": "What is decided, in the order it happened. A deployment may prefix addresses.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": HEADERS[0][1].decode(),
        "channels": {name: _channel(name, [s for s in topics if topics[s] == name]) for name in _CHANNELS},
        "operations": {
            f"{verb}.{name}": {"action": action, "channel": {"$ref": f"#/channels/{name}"}}
            for verb, action in (("append", "send"), ("read", "receive"))
            for name in _CHANNELS
        },
        "components": {
            "messages": {stored: _message(stored, examples[stored]) for stored in sorted(CLASSES)},
            "schemas": definitions("#/components/schemas/{name}"),
        },
    }


def _channel(name: str, stored: list[str]) -> Json:
    topic = _CHANNELS[name]
    placed: Json = {"address": name}
    if name in REGIONAL:
        placed = {"address": f"{name}.{{region}}", "parameters": {"region": _REGION}}
    shown = {key: int(value) for key, value in settings(1).items() if key in _SHOWN_SETTINGS}
    return {
        **placed,
        "description": f"Streams of {topic.holds}; a stream lies in one partition, in order.",
        "messages": {each: {"$ref": f"#/components/messages/{each}"} for each in sorted(stored)},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], **shown},
                "bindingVersion": _KAFKA_BINDING,
            }
        },
    }


def _message(stored: str, example: bytes) -> Json:
    return {
        "name": stored,
        "title": CLASSES[stored].__name__,
        "summary": summary(CLASSES[stored]),
        "contentType": HEADERS[0][1].decode(),
        "headers": {
            "type": "object",
            "properties": {HEADERS[0][0]: {"type": "string", "const": HEADERS[0][1].decode()}},
        },
        "payload": {"$ref": f"#/components/schemas/{stored}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "the stream, as in `subject`"},
                "bindingVersion": _KAFKA_BINDING,
            }
        },
        "examples": [{"name": stored, "payload": msgspec.json.decode(example)}],
    }
