"""The connection to Temporal, with the one converter that every client and worker uses."""

import asyncio
import os
from collections.abc import Mapping

from temporalio.client import Client
from temporalio.envconfig import ClientConfigProfile
from temporalio.runtime import Runtime
from temporalio.service import RPCError

from domain.refusal import Refusal
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
        Refusal: nothing answers there within 10 s, or the profile cannot be used.
    """
    address = settings.temporal_address
    try:
        options = ClientConfigProfile.load(
            disable_file=not _asks_for_profile(environ), override_env_vars=environ
        ).to_client_connect_config()
        options["target_host"] = address
        options["namespace"] = settings.temporal_namespace
        async with asyncio.timeout(CONNECT_SECONDS):
            return await Client.connect(**options, data_converter=CONVERTER, runtime=runtime)
    except (RPCError, RuntimeError, OSError, TimeoutError, ValueError) as error:
        why = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise Refusal(
            "TEMPORAL_ADDRESS", f"no Temporal answers at {address} ({why}); start one with `moot dev`"
        ) from None


def _asks_for_profile(environ: Mapping[str, str] | None) -> bool:
    # As in `workers.settings`: a profile in the home folder counts only where it is asked for.
    given = os.environ if environ is None else environ
    return bool(given.get("TEMPORAL_PROFILE") or given.get("TEMPORAL_CONFIG_FILE"))
