"""Settings of its own for a part of the demo, so that it talks to no server and no policy of the user's."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from workers.settings import data_folder

_ELSEWHERE = ("FOLKMOOT_", "TEMPORAL_")
_KEPT = ("FOLKMOOT_CACHE", "FOLKMOOT_DEBUG")


@contextmanager
def own(name: str, settings: Mapping[str, str]) -> Iterator[Path]:
    """For this process and all that it starts; yields the folder of the stack's state, `<data>/<name>`."""
    before = dict(os.environ)
    data = data_folder(Path.cwd(), os.environ) / name
    for variable in before:
        if variable.startswith(_ELSEWHERE) and variable not in _KEPT:
            del os.environ[variable]
    os.environ["FOLKMOOT_DATA"] = str(data)
    os.environ.update(settings)
    try:
        yield data
    finally:
        os.environ.clear()
        os.environ.update(before)
