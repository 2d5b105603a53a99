"""Which regions of the shared context a stack has: kept beside its state, since a region never goes away."""

from collections.abc import Sequence
from pathlib import Path

from domain.context.region import check_region

DEFAULT = "local"
_FILE = "regions"


def settle(data: Path, asked: Sequence[str], *, default: bool) -> list[str]:
    """Those that `asked` names, and those that the stack in `data` has had; kept for the next time.

    Where there are none, `DEFAULT` if the `default` is wanted.

    Raises:
        Refusal: that is no name of a region.
    """
    for region in asked:
        check_region(region, "--regions")
    file = data / _FILE
    known = file.read_text("ascii").split() if file.exists() else []
    regions = sorted({*known, *asked}) or ([DEFAULT] if default else [])
    if regions != known:
        file.write_text("".join(f"{region}\n" for region in regions), "ascii")
    return regions
