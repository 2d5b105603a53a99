"""Where the key that signs checkpoints is kept: a file of its owner's, or a command that prints it."""

import contextlib
import os
import shlex
import stat
import subprocess
import tempfile
from pathlib import Path

from audit.note import SigningKey
from domain.refusal import Refusal

_COMMAND = "command:"
_FIELD = "signing_key"
_SECONDS = 30
_MAX_BYTES = 4096


def load(place: str) -> SigningKey:
    """The key at `place`: a path, or `command:` and a command line whose output is the key.

    Raises:
        Refusal: there is none, others than its owner may read it, or it is malformed. Nothing of the key is
            quoted.
    """
    if place.startswith(_COMMAND):
        return SigningKey.parse(_printed_by(place.removeprefix(_COMMAND)))
    path = Path(place)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise Refusal(_FIELD, f"{path} has mode {mode:04o}: others may read it; run chmod 600 on it")
            text = file.read(_MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        raise Refusal(_FIELD, f"there is no key at {path}; `moot audit key` makes it") from None
    except OSError as error:
        raise Refusal(_FIELD, f"{path} cannot be read: {error.strerror}") from None
    return SigningKey.parse(text)


def load_or_make(place: str, name: str) -> SigningKey:
    """The key at `place`; where a path has none yet, a new one called `name`, made once and with mode 0600.

    Raises:
        Refusal: as `load`; or the file cannot be made.
    """
    path = Path(place)
    if not place.startswith(_COMMAND) and not path.exists():
        _make(path, SigningKey.generate(name))
    return load(place)


def _make(path: Path, key: SigningKey) -> None:
    """All or nothing: a reader sees no file or a whole one, and of two makers one wins."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent)  # O_EXCL, mode 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(key.secret())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first; its key is the key
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    except OSError as error:
        raise Refusal(_FIELD, f"{path} cannot be made: {error.strerror}") from None


def _printed_by(command: str) -> str:
    """Stdout only; the command's complaints are not shown, for they may quote the key."""
    try:
        done = subprocess.run(  # noqa: S603 # the operator's own setting, split without a shell
            shlex.split(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=True
        )
    except subprocess.CalledProcessError as error:
        raise Refusal(_FIELD, f"the command ended with status {error.returncode}") from None
    except subprocess.TimeoutExpired:
        raise Refusal(_FIELD, f"the command gave no key within {_SECONDS} s") from None
    except (OSError, ValueError, IndexError):  # absent, unbalanced quotes, empty
        raise Refusal(_FIELD, "the command cannot be run; name a program and its arguments") from None
    return done.stdout[:_MAX_BYTES].decode("utf-8", "replace")
