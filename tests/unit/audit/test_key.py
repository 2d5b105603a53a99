"""The signing key: made once, for its owner only, or printed by a command."""

import stat
import threading

import pytest

from audit import key
from audit.note import SigningKey
from domain.refusal import Refusal


def test_a_key_is_made_once_with_mode_0600(tmp_path):
    place = tmp_path / "keys" / "checkpoint.key"
    made = key.load_or_make(str(place), "folkmoot")
    assert made.verifier.name == "folkmoot"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    assert key.load_or_make(str(place), "another").verifier == made.verifier == key.load(str(place)).verifier
    assert list(place.parent.iterdir()) == [place]


def test_of_many_makers_one_wins_and_all_have_its_key(tmp_path):
    place, found = str(tmp_path / "checkpoint.key"), []
    makers = [
        threading.Thread(target=lambda: found.append(str(key.load_or_make(place, "folkmoot").verifier)))
        for _ in range(8)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len(found) == 8
    assert set(found) == {str(key.load(place).verifier)}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o610])
def test_a_key_that_others_may_read_is_refused(tmp_path, mode):
    place = tmp_path / "checkpoint.key"
    key.load_or_make(str(place), "folkmoot")
    place.chmod(mode)
    with pytest.raises(Refusal, match=f"has mode {mode:04o}: .* run chmod 600"):
        key.load(str(place))


def test_a_missing_key_is_refused_by_its_path(tmp_path):
    with pytest.raises(Refusal, match="there is no key at"):
        key.load(str(tmp_path / "absent"))


def test_a_folder_in_its_place_is_refused(tmp_path):
    with pytest.raises(Refusal, match="cannot be read"):
        key.load(str(tmp_path))


def test_a_place_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match=r"signing_key: .* cannot be made"):
        key.load_or_make(str(tmp_path / "file" / "checkpoint.key"), "folkmoot")


def test_a_command_may_print_the_key(tmp_path):
    made = SigningKey.generate("folkmoot")
    place = tmp_path / "printed"
    place.write_text(made.secret())
    assert key.load_or_make(f"command:cat {place}", "folkmoot").verifier == made.verifier


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        ("false", "ended with status 1"),
        ("", "cannot be run"),
        ("/absent/command", "cannot be run"),
        ("'", "cannot be run"),
        ("true", "no signing key"),
        ("echo PRIVATE+KEY+secret", "no signing key"),
    ],
)
def test_a_command_that_gives_no_key_is_refused_without_its_output(command, problem):
    with pytest.raises(Refusal, match=problem) as refused:
        key.load(f"command:{command}")
    assert "PRIVATE+KEY+secret" not in str(refused.value)
