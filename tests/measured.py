"""Which lines and branches of the rules their own tests execute, in each process that tests are dealt out to.

`make test` names this plugin with `-p`, so that it is there before `domain/` is imported, in the processes of
pytest-xdist too. Only what the tests of the rules execute counts; the others then cost no more.
"""

from pathlib import Path

import pytest
from coverage import Coverage

UNIT = Path(__file__).parent / "unit"
RULES = {UNIT / "consensus", UNIT / "domain"}

measured = Coverage()
measured.start()


def pytest_collection_finish():
    measured.stop()  # what modules do when they are imported was measured by now


def pytest_runtest_setup(item):
    if RULES.intersection(item.path.parents):
        measured.start()


def pytest_runtest_teardown(item):
    if RULES.intersection(item.path.parents):
        measured.stop()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    measured.stop()
    measured.save()
