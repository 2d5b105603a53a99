"""How hypothesis draws: freely at a developer's desk, the same every time in CI (HYPOTHESIS_PROFILE=ci)."""

import os
from pathlib import Path

from coverage import Coverage
from hypothesis import settings

# No deadline per example: a busy machine is slow, which is no fault of the code.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

MEASURED = Coverage.current()
RULES = Path(__file__).parent / "consensus", Path(__file__).parent / "domain"
"""Under `coverage run` only what the tests of the rules execute counts; the others then cost no more."""


def pytest_collection_finish():
    if MEASURED is not None:  # what modules do when they are imported was measured by now
        MEASURED.stop()


def pytest_runtest_setup(item):
    if MEASURED is not None and item.path.parent in RULES:
        MEASURED.start()


def pytest_runtest_teardown(item):
    if MEASURED is not None and item.path.parent in RULES:
        MEASURED.stop()
