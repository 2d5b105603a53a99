"""How hypothesis draws: freely at a developer's desk, the same every time in CI (HYPOTHESIS_PROFILE=ci)."""

import os

from hypothesis import settings

# No deadline per example: a busy machine is slow, which is no fault of the code.
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
