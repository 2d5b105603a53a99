"""How often a law is drawn that needs more or fewer examples than others, in step with the profile."""

from hypothesis import settings

USUAL = 100  # examples that hypothesis draws unless told otherwise


def examples(usually):
    """Settings for `usually` examples under a full profile, and as small a share of them as of all others.

    A number of examples in plain `settings` holds under every profile, `quick` too.
    """
    return settings(max_examples=max(1, usually * settings().max_examples // USUAL))
