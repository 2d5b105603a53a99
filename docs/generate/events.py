"""`docs/reference/events.md` and two documents for programs: every event, from the classes that read it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from docs.generate.event_schema import CLASSES, asyncapi, json_schema
from docs.generate.meaning import meaning, names, parts, summary
from eventlog.envelope import OPTIONAL, REQUIRED
from eventlog.topics import CATEGORIES, REGIONAL, TOPICS
from eventlog.upcast import UPCASTERS

GOLDEN = Path(__file__).parents[2] / "tests" / "golden" / "events"
_WORDS = {
    Any: "any JSON value",
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "time",
    type(None): "null",
}
_INTRO = """\
# Events

<!-- Made by `make docs` from the classes in `domain/` and `eventlog/`. Change those, not this page. -->

Everything that happens is one record in Kafka: its key is the name of a stream, its value a
[CloudEvents 1.0](https://github.com/cloudevents/spec) event in structured JSON, its header
`content-type: application/cloudevents+json`. Times are RFC 3339 in UTC with six digits; numbers are finite;
no text holds a NUL or a lone surrogate; no value has more than 256 KiB. A value that breaks a rule of this
page is never guessed at: a writer refuses it, a reader parks it with the reason.

Stored names are never changed and fields are only ever added, with a default; readers pass over fields of
`data` that they do not know. Where a meaning has to change, a new version is stored, and earlier ones are
brought to it when they are read ([earlier versions](#earlier-versions)).

For programs: [events.schema.json](events.schema.json) (JSON Schema 2020-12) and
[asyncapi.json](asyncapi.json) (AsyncAPI 3.0).
"""


def page(examples: dict[str, bytes]) -> str:
    """The reference as Markdown; `examples` maps each stored type to the bytes of one event."""
    current = [stored for stored in CLASSES if stored not in UPCASTERS]
    within = {part.__name__: part for stored in current for part in parts(CLASSES[stored])[1:]}
    return "\n".join(
        [
            _INTRO,
            *_topics(),
            *_envelope(),
            "## Types\n",
            *(line for stored in current for line in _type(stored, examples[stored])),
            "## Parts\n",
            *(line for name in sorted(within) for line in _part(within[name])),
            "## Earlier versions\n",
            *(line for stored in UPCASTERS for line in _type(stored, examples[stored])),
        ]
    )


def _topics() -> Iterator[str]:
    yield "## Topics\n\n| topic | partitions | holds | streams |\n|---|---|---|---|"
    for topic in TOPICS.values():
        streams = ", ".join(f"`{c}/<id>`" for c, name in CATEGORIES.items() if name == topic.name)
        yield f"| `{topic.name}` | {topic.partitions} | {topic.holds} | {streams} |"
    for topic in REGIONAL.values():
        streams = ", ".join(f"`{c}/<region>.<id>`" for c, name in CATEGORIES.items() if name == topic.name)
        yield f"| `{topic.name}.<region>` | {topic.partitions} | {topic.holds} | {streams} |"
    yield ""


def _envelope() -> Iterator[str]:
    yield "## Attributes of every event\n\n| attribute | | meaning |\n|---|---|---|"
    yield "| `type` | required | stored name and version, as below |"
    for name, hint in REQUIRED.items():
        yield f"| `{name}` | required | {_described(hint)} |"
    for name, (hint, _) in OPTIONAL.items():
        yield f"| `{name}` | optional | {_described(hint)} |"
    yield "| `data` | required | what happened, as below |\n"


def _described(hint: Any) -> str:
    found = [each.description for each in hint.__metadata__ if each.description]
    text: str = found[0] if found else ""
    return text.replace("|", "\\|")


def _type(stored: str, example: bytes) -> Iterator[str]:
    yield f"### {stored}\n\n{summary(CLASSES[stored])}\n"
    if stored in UPCASTERS:
        yield f"Read as `{UPCASTERS[stored].becomes}`.\n"
    yield from _table(CLASSES[stored])
    shown = json.dumps(msgspec.json.decode(example), indent=2, ensure_ascii=False)
    yield f"<details><summary>Example</summary>\n\n```json\n{shown}\n```\n\n</details>\n"


def _part(cls: type) -> Iterator[str]:
    yield f"### {cls.__name__}\n\n{summary(cls)}\n"
    yield from _table(cls)


def _table(cls: type) -> Iterator[str]:
    hints, defaults = get_type_hints(cls), _defaults(cls)
    yield "| field | holds | default | meaning |\n|---|---|---|---|"
    for name in names(cls):
        stated = json.dumps(defaults.get(name), default=msgspec.to_builtins)
        default = f"`{stated}`" if name in defaults else "required"
        said = meaning(cls, name).replace("|", "\\|")
        yield f"| `{name}` | {holds(hints[name])} | {default} | {said} |"
    yield ""


def _defaults(cls: type) -> dict[str, Any]:
    every: Iterable[Any] = fields(cls) if is_dataclass(cls) else msgspec.structs.fields(cls)
    none = (MISSING, msgspec.NODEFAULT)
    made = {each.name: each.default_factory() for each in every if each.default_factory not in none}
    return made | {each.name: each.default for each in every if each.default not in none}


def holds(hint: Any) -> str:
    """What a field of this type holds, in words."""
    if is_dataclass(hint) and isinstance(hint, type):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(map(holds, inner))
    if origin is tuple:
        return f"list of {holds(inner[0])}"
    if origin in (dict, Mapping):
        return f"object of {holds(inner[1])} by text"
    return _WORDS[hint]


def golden() -> dict[str, bytes]:
    """The first golden file of each stored type."""
    return {stored: (GOLDEN / f"{stored}.json").read_bytes() for stored in CLASSES}


def documents(examples: dict[str, bytes]) -> dict[str, str]:
    """Every generated file's name and content."""
    return {
        "events.md": page(examples),
        "events.schema.json": _json(json_schema()),
        "asyncapi.json": _json(asyncapi(version("folkmoot"), examples)),
    }


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
