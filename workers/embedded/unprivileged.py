"""How to run PostgreSQL, which refuses to be root, for a user who is root (containers, mostly)."""

import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from domain.refusal import Refusal

USER = "nobody"
_TRAVERSE = {"dac_read_search": 2, "dac_override": 1}  # Linux capability: its bit


def prefix(places: Iterable[Path]) -> list[str]:
    """Words to put before a command so that it does not run as root; none when we are not root.

    Folders that only root may enter stay so: on Linux the process keeps the one capability to pass through
    them. Nothing on the machine is changed, no user is added, no folder opened.

    Raises:
        Refusal: we are root, `nobody` cannot reach `places`, and there is no way to let it.
    """
    if os.geteuid() != 0:
        return []
    tool = shutil.which("setpriv")
    closed = [place for place in places if not _reachable(place)]
    capability = next((name for name, bit in _TRAVERSE.items() if _held(bit)), None)
    why = None
    if tool is None:
        why = "the command setpriv, which would run it as another user, is not on the PATH"
    elif closed and capability is None:
        why = f"{closed[0]} is out of reach for {USER}"
    if tool is None or why is not None:
        way_out = "run as an ordinary user, or set FOLKMOOT_DATABASE_URL"
        raise Refusal("postgres", f"does not run as root, and {why}: {way_out}")
    words = [tool, f"--reuid={USER}", f"--regid={_group()}", "--clear-groups"]
    if closed:
        words += [f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}"]
        # Else access(2), by which initdb looks for its server, sets the capability aside for a user not root.
        words += ["--securebits=+no_setuid_fixup"]
    return words


def give(places: Iterable[Path]) -> None:
    """Make `nobody` the owner of what PostgreSQL will write."""
    for place in places:
        shutil.chown(place, USER, _group())


def _group() -> str:
    import grp
    import pwd

    return grp.getgrgid(pwd.getpwnam(USER).pw_gid).gr_name


def _reachable(place: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (place, *place.parents))


def _held(bit: int) -> bool:
    if sys.platform != "linux":
        return False
    status = Path("/proc/self/status").read_text("ascii").split("CapEff:")[1]
    return bool(int(status.split()[0], 16) >> bit & 1)
