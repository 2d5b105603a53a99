"""`moot worker node`: what its options mean, and that sums are computed by one thread."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli import worker, worker_node
from cli.main import moot
from workers import node as process
from workers.trainees import Conditions, Training

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@pytest.fixture
def told(monkeypatch):
    """What the process was told, with these options."""

    def run(*options):
        found = {}

        async def told(settings, node, ready, reasoner, metrics, *, region, training):
            found.update(node=node, region=region, training=training)

        for name in THREADS:
            monkeypatch.setenv(name, "8")  # so that it is put back
        monkeypatch.setattr(process, "run", told)
        monkeypatch.setattr(worker_node, "run_process", lambda _, run, __: asyncio.run(run(None, None)))
        result = CliRunner().invoke(
            moot, ["worker", "node", "--id", "edge-1", *options], catch_exceptions=False
        )
        assert result.exit_code == 0, result.output
        return found

    return run


def test_without_data_nothing_is_trained(told):
    assert told()["training"] == Training(every=30.0)
    assert not told()["training"].wanted


def test_the_options_say_for_whom_it_trains(told, tmp_path):
    options = [
        "--data",
        "m:f",
        "--clients",
        "3",
        "--trainers",
        "a,b",
        "--network-mbps",
        "5",
        "--subject",
        "ann",
    ]
    found = told(*options, "--not-charging", "--unmetered", "--folder", str(tmp_path), "--look-every", "2")
    conditions = Conditions(5.0, charging=False, unmetered=True)
    assert found["training"] == Training("m:f", 3, (), ("a", "b"), conditions, "ann", tmp_path, 2.0)


def test_clients_can_be_named_one_by_one(told):
    assert told("--client", "a=m:f", "--client", "b=m:g")["training"].named == ("a=m:f", "b=m:g")


def test_sums_are_computed_by_one_thread_whatever_the_environment_says(told):
    told()
    assert {os.environ[name] for name in THREADS} == {"1"}


def test_the_orchestrator_computes_sums_by_one_thread_too(monkeypatch):
    for name in THREADS:
        monkeypatch.setenv(name, "8")
    monkeypatch.setattr(worker, "run_process", lambda *_: None)
    result = CliRunner().invoke(moot, ["worker", "orchestrator"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert {os.environ[name] for name in THREADS} == {"1"}


def test_nothing_loads_numpy_before_that_is_said():
    look = "import sys, cli.worker; sys.exit('numpy' in sys.modules)"
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", look], cwd=root, check=False)
    assert run.returncode == 0
