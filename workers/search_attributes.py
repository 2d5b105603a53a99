"""The typed search attributes that workflows upsert: an unregistered one would stall every workflow."""

import structlog
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.refusal import Refusal
from workflows.names import SEARCH_ATTRIBUTES

_log = structlog.get_logger()
# Where the service is not ours to administer (Temporal Cloud), the operator's API is closed.
_CLOSED = (RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED)


Types = dict[str, "IndexedValueType.ValueType"]


def wanted() -> Types:
    """Every name with its type."""
    return {key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in SEARCH_ATTRIBUTES}


def described() -> tuple[str, ...]:
    """Every name with its type, in words."""
    return tuple(f"{key.name} ({key.indexed_value_type.name.title()})" for key in SEARCH_ATTRIBUTES)


async def missing(client: Client) -> Types:
    """Names and types that the namespace lacks, or has under another type."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    known = answer.custom_attributes
    return {name: kind for name, kind in wanted().items() if known.get(name) != kind}


async def add(client: Client, attributes: Types) -> None:
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace=client.namespace, search_attributes=attributes)
    )


class NotOurs(Exception):
    """The service lets nobody look at, or add, search attributes through Temporal's own API."""


async def register(client: Client) -> list[str]:
    """Add what is missing; safe to repeat. Returns the names added.

    Raises:
        NotOurs: they have to be added by hand, with the service's own tool.
    """
    try:
        lacking = await missing(client)
        if lacking:
            await add(client, lacking)
    except RPCError as error:
        if error.status not in _CLOSED:
            raise
        raise NotOurs from None
    return sorted(lacking)


async def require(client: Client) -> None:
    """Refuse to go on without them.

    Raises:
        Refusal: some are missing; names them and the command that adds them.
    """
    try:
        lacking = sorted(await missing(client))
    except RPCError as error:
        if error.status not in _CLOSED:
            raise
        _log.warning("search_attributes.not_checked", cause=error.status.name)
        return
    if lacking:
        raise Refusal(
            "search attributes",
            f"the Temporal namespace {client.namespace} lacks {', '.join(lacking)}; run `moot migrate`",
        )
