"""Kafka's jars: downloaded once into a cache folder, and used only with the content that is pinned here."""

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from domain.refusal import Refusal
from workers.embedded import stackfile

VERSION = "4.3.0"
PINS = Path(__file__).with_name("kafka.sha256")
_AT_ONCE = 6  # downloads in parallel
_TIMEOUT = 15  # seconds without a byte
_PARTIAL = "partial-"

Progress = Callable[[int, int], None]


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where downloads are kept between stacks: FOLKMOOT_CACHE, else the platform's place for caches."""
    if environ.get("FOLKMOOT_CACHE"):
        return Path(environ["FOLKMOOT_CACHE"]).absolute()
    if environ.get("XDG_CACHE_HOME"):
        return Path(environ["XDG_CACHE_HOME"]) / "folkmoot"
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "folkmoot"


def pinned(pins: Path = PINS) -> dict[str, str]:
    """SHA-256 in hex by path inside a Maven repository; the file is in the format of `sha256sum -c`."""
    lines = pins.read_text("utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines if line)}


def classpath(cache: Path, progress: Progress, pins: Path = PINS) -> list[Path]:
    """Every jar, present and checked; what is missing is downloaded, `progress(done, all)` told.

    Raises:
        Refusal: a jar cannot be downloaded, or its bytes are not those pinned; named by its file.
    """
    wanted = pinned(pins)
    missing = [path for path in wanted if not (cache / path).exists()]
    if missing:
        _download(missing, cache, progress, wanted)
    with ThreadPoolExecutor(2) as pool:  # hashing lets other threads run
        for path, digest in zip(wanted, pool.map(_digest, (cache / path for path in wanted)), strict=True):
            if digest != wanted[path]:
                raise _wrong_sum(cache / path, digest, wanted[path])
    return [cache / path for path in wanted]


def _download(missing: list[str], cache: Path, progress: Progress, wanted: Mapping[str, str]) -> None:
    progress(0, len(missing))
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for done, _ in enumerate(pool.map(lambda path: _fetch(path, cache, wanted[path]), missing), 1):
                progress(done, len(missing))
    except Refusal:
        raise
    except Exception as error:  # jgo lets requests' errors through, and raises bare RuntimeErrors of its own
        reason = str(error).split(" (Caused by")[0]
        way_out = (
            "connect and try again, or point FOLKMOOT_CACHE at a filled cache or FOLKMOOT_KAFKA at a Kafka"
        )
        raise Refusal(
            "kafka", f"its jars could not be downloaded into {cache}: {reason}; {way_out}"
        ) from error
    finally:
        _clear_partial(cache)


def _fetch(path: str, cache: Path, digest: str) -> None:
    # Into a folder of this process first: a download that breaks off must not look like a jar.
    jar = _by_jgo(path, cache / f"{_PARTIAL}{os.getpid()}")
    if (found := _digest(jar)) != digest:
        raise _wrong_sum(jar, found, digest)
    (cache / path).parent.mkdir(parents=True, exist_ok=True)
    jar.replace(cache / path)


def _by_jgo(path: str, staging: Path) -> Path:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext

    mirrors = GlobalSettings.load().repositories  # the user's own jgo.conf, before the public repository
    repositories = {**mirrors, "central": MAVEN_CENTRAL_URL}
    context = MavenContext(repo_cache=staging, remote_repos=repositories, timeout=_TIMEOUT)
    group, artifact, version, _ = path.rsplit("/", 3)
    jar: Path = context.project(group.replace("/", "."), artifact).at_version(version).artifact().resolve()
    return jar


def _clear_partial(cache: Path) -> None:
    # Ours, and those of processes that were killed in the middle.
    for left in cache.glob(f"{_PARTIAL}*"):
        owner = left.name.removeprefix(_PARTIAL)
        if not owner.isdigit() or int(owner) == os.getpid() or not stackfile.alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _digest(jar: Path) -> str:
    with jar.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wrong_sum(jar: Path, found: str, wanted: str) -> Refusal:
    return Refusal(
        "kafka",
        f"{jar} is not the pinned file (SHA-256 {found[:16]}…, pinned {wanted[:16]}…): "
        "delete it and start again; if it comes back, do not trust where it came from",
    )
