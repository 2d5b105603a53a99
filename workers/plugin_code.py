"""The source of a plugin, so that the record can say which code trained."""

import sys
from pathlib import Path


def sources(module: str) -> bytes:
    """Names and contents of the Python files of an imported module: its own, or its whole package's.

    A module in a package may lean on any other file there, so all of them count, by their paths inside the
    package; what the package imports from elsewhere does not. Without a source file there are none.
    """
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return b""
    path = Path(file)
    inside = (path.parent / "__init__.py").exists()
    files = sorted(path.parent.rglob("*.py")) if inside else [path]
    parts = []
    for each in files:
        name, content = each.relative_to(path.parent).as_posix().encode(), each.read_bytes()
        parts += [len(name).to_bytes(8, "big"), name, len(content).to_bytes(8, "big"), content]
    return b"".join(parts)
