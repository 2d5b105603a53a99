"""Where the key that signs checkpoints is kept: a file of its owner's, or a command that prints it."""

import contextlib
import os
import shlex
import stat
import subprocess
import tempfile
from pathlib import Path

from audit.note import SigningKey, VerifierKey
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
        raise Refusal(_FIELD, f"there is no key at {path}") from None
    except OSError as error:
        raise Refusal(_FIELD, f"{path} cannot be read: {error.strerror}") from None
    return SigningKey.parse(text)


def named(place: str) -> str:
    """The place as it may be shown: a command line may hold what is nobody's business."""
    return "the command" if place.startswith(_COMMAND) else place


def exists(place: str) -> bool:
    """Whether something is at the place; a command counts as there."""
    return place.startswith(_COMMAND) or Path(place).exists()


def load_or_make(place: str, name: str) -> SigningKey:
    """The key at `place`; where a path has none yet, a new one called `name`, made once and with mode 0600.

    Raises:
        Refusal: as `load`; or the file cannot be made.
    """
    if not exists(place):
        _make(Path(place), SigningKey.generate(name))
    return load(place)


def prepare(place: str, made: SigningKey) -> Path:
    """Lay a new key beside the one at the path `place`, for `put` to take it.

    Raises:
        Refusal: the place is no path, or nothing can be made there.
    """
    if place.startswith(_COMMAND):
        raise Refusal(_FIELD, "comes from a command: say with --to where the new key is")
    path = beside(place, made.verifier)
    _make(path, made)
    return path


def put(place: str, old: SigningKey, new: SigningKey) -> Path:
    """Exchange the key at `place` for the prepared one; where the old one is kept.

    Raises:
        Refusal: the file system does not let it.
    """
    kept, prepared = beside(place, old.verifier), beside(place, new.verifier)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(place, kept)
        prepared.replace(place)
    except OSError as error:
        raise Refusal(_FIELD, f"{prepared} cannot be moved to {place}: {error.strerror}") from None
    return kept


def beside(place: str, held: VerifierKey) -> Path:
    """Where a key lies that does not sign yet, or no more."""
    return Path(f"{place}.{held.key_id.hex()}")


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
