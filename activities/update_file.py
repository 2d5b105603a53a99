"""A client's update as a file: the one typed shape that may leave a node, and nothing beside it."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from domain.learning import tensor_file
from domain.learning.stored_updates import KEY
from domain.learning.tensors import SECTIONS, Schema, Tensors, TensorSpec, check_tensors
from domain.learning.update import ClientUpdate, UpdateMetadata
from domain.refusal import Refusal
from domain.stream import check_id
from domain.strict_json import printable

WHAT = "update"
_FIELDS = tuple(field.name for field in fields(ClientUpdate))


def shaped(raw: Mapping[str, Any], schema: Schema) -> ClientUpdate:
    """What a trainer or a program made, as an update, if it is one.

    Raises:
        Refusal: a field is missing or unknown, a section holds other than the schema's tensors.
    """
    for name in sorted(raw.keys() | set(_FIELDS)):
        if name not in _FIELDS:
            raise Refusal(
                WHAT, f"has an unknown field '{printable(str(name), 60)}', which may not leave the node"
            )
        if name not in raw:
            raise Refusal(WHAT, f"has no field '{name}'")
    update = ClientUpdate(**raw)
    check_update(update, schema)
    return update


def check_update(update: ClientUpdate, schema: Schema) -> None:
    """Refuse everything but finite numbers of the schema's shapes, each in its section.

    Raises:
        Refusal: the tensor or field, and what it is instead.
    """
    if type(update) is not ClientUpdate or type(update.metadata) is not UpdateMetadata:
        raise Refusal(WHAT, "is not the typed shape that may leave a node")
    check_id(update.node_id, f"{WHAT}.node_id")
    if type(update.metadata.data_volume) is not int or update.metadata.data_volume < 0:
        raise Refusal(f"{WHAT}.metadata.data_volume", "is no count of rows")
    for section in SECTIONS:
        tensors = getattr(update, section)
        if not isinstance(tensors, Mapping):
            raise Refusal(f"{WHAT}.{section}", "is no mapping of named tensors")
        for name, array in tensors.items():
            if not isinstance(name, str) or not hasattr(array, "dtype"):
                raise Refusal(f"{WHAT}.{section}", f"'{printable(str(name), 60)}' is no tensor")
        check_tensors(_of(schema, section), tensors, f"{WHAT}.{section}")


def encode(update: ClientUpdate, schema: Schema) -> bytes:
    """The file, of an update that passed `check_update`; the same update gives the same bytes."""
    check_update(update, schema)
    said = {"node_id": update.node_id, "metadata": msgspec.to_builtins(update.metadata)}
    text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    named = {
        f"{section}/{name}": array for section in SECTIONS for name, array in getattr(update, section).items()
    }
    return tensor_file.encode(named, {KEY: text})


def decode(content: bytes | memoryview, schema: Schema) -> ClientUpdate:
    """The update in a file.

    Raises:
        Refusal: it holds anything that an update has not.
    """
    named, metadata = tensor_file.decode(content, WHAT)
    said = _said(metadata)
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for name, array in named.items():
        section, _, tensor = name.partition("/")
        if section not in sections:
            raise Refusal(WHAT, f"has an unknown section '{printable(section, 60)}'")
        sections[section][tensor] = array
    return shaped({"node_id": said.node_id, "metadata": said.metadata, **sections}, schema)


def in_sections(schema: Schema, tensors: Tensors) -> dict[str, dict[str, Any]]:
    """`tensors` by the section that the schema puts each in."""
    return {section: {spec.name: tensors[spec.name] for spec in _of(schema, section)} for section in SECTIONS}


def together(update: ClientUpdate) -> dict[str, Any]:
    """All tensors of an update by name."""
    return {name: array for section in SECTIONS for name, array in getattr(update, section).items()}


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    node_id: str
    metadata: UpdateMetadata


def _said(metadata: Mapping[str, str]) -> _Said:
    if metadata.keys() != {KEY}:
        raise Refusal(WHAT, f"must have the metadata '{KEY}' and no other")
    raw = metadata[KEY].encode()
    try:
        said = msgspec.json.decode(raw, type=_Said, strict=True)
        canonical = json.dumps(msgspec.to_builtins(said), separators=(",", ":"), sort_keys=True).encode()
    except (msgspec.MsgspecError, ValueError):
        raise Refusal(WHAT, "has metadata that is none of an update") from None
    if canonical != raw:  # a field that is not one of ours would be dropped in reading it
        raise Refusal(WHAT, "has an unknown field in its metadata, or is not written canonically")
    return said


def _of(schema: Schema, section: str) -> tuple[TensorSpec, ...]:
    return tuple(spec for spec in schema if spec.section == section)
