"""Faults of a disk that another try does not mend, told at once instead of at the round's deadline."""

import errno
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio import activity

from domain.refusal import Refusal

T = TypeVar("T")
Method = Callable[[Any, Any], Awaitable[T]]
LASTING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
"""A store that is full, read-only, or not for this user; one that is away is tried again."""


def lasting_is_refused(method: Method[T]) -> Method[T]:
    """An activity's method, which is not tried again where the artifact store cannot be used from here.

    Raises:
        Refusal: a fault that lasts; its path stays in this process's log.
    """

    @functools.wraps(method)
    async def run(self: Any, task: Any) -> T:
        try:
            return await method(self, task)
        except OSError as error:
            if error.errno not in LASTING:
                raise
            activity.logger.error(
                "artifacts.unusable", extra={"cause": str(error)}
            )  # a full disk needs no traceback
            raise Refusal("artifacts", f"{error.strerror}, on the node") from None

    return run


def unkept(client: str, error: OSError) -> str:
    """Of a journal that takes nothing; where it lies is the node's own business, and stands in its log."""
    activity.logger.error("journal.unusable", extra={"client": client, "cause": str(error)})
    return f"{type(error).__name__} on the node"
