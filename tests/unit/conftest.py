"""How hypothesis draws, by HYPOTHESIS_PROFILE.

`dev`: freely, at a developer's desk. `ci`: the same every time. `quick`: the same every time and a quarter as
often, for `make check`; `make test` draws in full.
"""

import os
from pathlib import Path

from coverage import Coverage
from hypothesis import settings

# No deadline per example: a busy machine is slow, which is no fault of the code.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=25)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))

MEASURED = Coverage.current()
RULES = {Path(__file__).parent / "consensus", Path(__file__).parent / "domain"}
"""Under `coverage run` only what the tests of the rules execute counts; the others then cost no more."""


def pytest_collection_finish():
    if MEASURED is not None:  # what modules do when they are imported was measured by now
        MEASURED.stop()


def pytest_runtest_setup(item):
    if MEASURED is not None and RULES.intersection(item.path.parents):
        MEASURED.start()


def pytest_runtest_teardown(item):
    if MEASURED is not None and RULES.intersection(item.path.parents):
        MEASURED.stop()
