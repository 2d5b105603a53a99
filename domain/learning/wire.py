"""Which tensors go over the wire, by what clients do: `domain.learning.strategy` says what they hold."""

from collections.abc import Mapping
from dataclasses import replace

from domain.learning.strategy import ClientKind
from domain.learning.tensors import Array, Schema, Tensors

CONTROL = "control."
"""Before a tensor's name: its control variate, or the change of it."""


def sent_schema(schema: Schema, client: ClientKind) -> Schema:
    """The tensors of an update, where `schema` is the trainer's."""
    if client != "control":
        return schema
    return tuple(sorted((*schema, *control_schema(schema)), key=lambda spec: spec.name))


def control_schema(schema: Schema) -> Schema:
    """The tensors of a control variate, as they travel and as the state holds them."""
    return tuple(replace(spec, name=CONTROL + spec.name) for spec in schema)


def model_schema(schema: Schema, client: ClientKind, model: Tensors) -> Schema:
    """The tensors of the cycle's model: the trainer's, or with clustered clients those of each group."""
    if client != "clustered":
        return schema
    groups = groups_of(schema, model)
    named = (replace(spec, name=f"{group}.{spec.name}") for group in groups for spec in schema)
    return tuple(sorted(named, key=lambda spec: spec.name))


def groups_of(schema: Schema, model: Tensors) -> tuple[str, ...]:
    """The groups of a clustered model, in the order of their numbers."""
    last = f".{schema[0].name}"
    found = {name.removesuffix(last) for name in model if name.endswith(last)}
    return tuple(sorted((group for group in found if group.isdecimal()), key=int))


def group_model(schema: Schema, model: Tensors, group: str) -> Mapping[str, Array]:
    """The model of one group, under the trainer's names.

    Raises:
        KeyError: the model has no such group.
    """
    return {spec.name: model[f"{group}.{spec.name}"] for spec in schema}
