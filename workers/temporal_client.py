"""The connection to Temporal, with the one converter that every client and worker uses."""

import asyncio
import os
from collections.abc import Mapping

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.runtime import Runtime
from temporalio.service import RPCError, RPCStatusCode

from domain.refusal import Refusal
from domain.strict_json import printable
from workers.settings import Settings
from workflows.payloads import CONVERTER

CONNECT_SECONDS = 10.0


async def connect(
    settings: Settings, runtime: Runtime | None = None, environ: Mapping[str, str] | None = None
) -> Client:
    """A client as the environment's Temporal profile (address, namespace, API key, TLS) and `settings` say.

    The profile is the one that the `temporal` command line uses (`TEMPORAL_PROFILE`, `TEMPORAL_CONFIG_FILE`,
    `TEMPORAL_TLS…`); the address and namespace of `settings`, which read them too, have the last word.

    Raises:
        Refusal: nothing answers there within 10 s, it has no such namespace, or the profile cannot be used.
    """
    address = settings.temporal_address
    try:
        options = ClientConfigProfile.load(
            disable_file=not _asks_for_profile(environ), override_env_vars=environ
        ).to_client_connect_config()
        options["target_host"] = address
        options["namespace"] = settings.temporal_namespace
        async with asyncio.timeout(CONNECT_SECONDS):
            client = await Client.connect(**options, data_converter=CONVERTER, runtime=runtime)
            there = await _has_namespace(client)
    except (RPCError, RuntimeError, OSError, TimeoutError, ValueError) as error:
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Refusal(
            "TEMPORAL_ADDRESS", f"no Temporal answers at {address} ({why}); start one with `moot dev`"
        ) from None

    if not there:
        name = printable(client.namespace, 60)
        raise Refusal(
            "TEMPORAL_NAMESPACE",
            f"there is no '{name}' on the Temporal at {address}; name another, or make it with"
            f" `temporal operator namespace create -n {name}`",
        )
    return client


async def _has_namespace(client: Client) -> bool:
    # A request for a workflow in a namespace that is not there is answered like one for no such workflow.
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as error:
        return error.status is not RPCStatusCode.NOT_FOUND  # who may not ask this may still do the rest
    return True


def _asks_for_profile(environ: Mapping[str, str] | None) -> bool:
    # As in `workers.settings`: a profile in the home folder counts only where it is asked for.
    given = os.environ if environ is None else environ
    return bool(given.get("TEMPORAL_PROFILE") or given.get("TEMPORAL_CONFIG_FILE"))
