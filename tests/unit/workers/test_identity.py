"""A node's key is made once and stays on the node."""

import base64
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from domain.refusal import Refusal
from workers.identity import FILE, identity, public_half


def test_it_is_the_same_at_every_start(tmp_path):
    assert public_half(identity(tmp_path / "node")) == public_half(identity(tmp_path / "node"))
    assert public_half(identity(tmp_path / "other")) != public_half(identity(tmp_path / "node"))


def test_its_public_half_checks_what_it_signs(tmp_path):
    key = identity(tmp_path)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_half(key)))
    public.verify(key.sign(b"an update"), b"an update")


def test_nobody_else_may_read_it_and_nothing_is_left_beside_it(tmp_path):
    identity(tmp_path / "node")
    (file,) = (tmp_path / "node").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == (FILE, 0o600)


def test_another_file_of_its_name_is_not_taken_for_it(tmp_path):
    (tmp_path / FILE).write_bytes(b"short")
    with pytest.raises(Refusal, match="holds 5 bytes and no key of 32"):
        identity(tmp_path)
