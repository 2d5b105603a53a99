"""A key that is no text is refused before anything is asked."""

import pytest

from cli import context_run
from domain.refusal import Refusal


@pytest.mark.parametrize("key", ["\udcff", "a\0"])
def test_a_key_that_is_no_text_is_refused(key):
    with pytest.raises(Refusal, match=r"^key: holds"):
        context_run.found("eu", None, "situational", key, None)
    with pytest.raises(Refusal, match=r"^key: holds"):
        context_run.history("eu", "situational", key)
