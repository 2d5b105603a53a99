"""A log and a database of a test's own, and the command that audits them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.integration.audit.bed import Bed


@pytest.fixture
async def bed(kafka, tables, topic_prefix, tmp_path):
    return await Bed.made(kafka, topic_prefix, tables, tmp_path)


@pytest.fixture
def moot(bed, tmp_path):
    """Runs a command against the test's servers; its status, standard output and standard error."""

    async def run(*words, servers=True):
        environ = {k: v for k, v in os.environ.items() if not k.startswith("FOLKMOOT_")}
        environ |= {"FOLKMOOT_SIGNING_KEY": bed.place, "FOLKMOOT_CLUSTER": "example"}
        if servers:
            environ |= {
                "FOLKMOOT_KAFKA": bed.kafka,
                "FOLKMOOT_DATABASE_URL": bed.database,
                "FOLKMOOT_TOPIC_PREFIX": bed.prefix,
            }
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(Path.cwd())!r}); from cli.main import run; run()",
            "audit",
            *map(str, words),
            cwd=tmp_path,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()

    return run
