"""How hypothesis draws, by HYPOTHESIS_PROFILE, and what keeps tests from asking a model.

`dev`: freely, at a developer's desk. `ci`: the same every time. `quick`: the same every time and a tenth as
often, for `make check`; `make test` draws in full.
"""

import gc
import os

import pytest
from hypothesis import settings

# No deadline per example: a busy machine is slow, which is no fault of the code.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_collection_finish():
    """Look no more, at each collection of garbage, at what thousands of collected tests are made of."""
    gc.freeze()


@pytest.fixture
def no_model_is_asked(monkeypatch):
    """No request to a model leaves. Imported here, where it is needed: it takes long."""
    from pydantic_ai import models

    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", False)
