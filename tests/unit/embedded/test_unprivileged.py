"""PostgreSQL refuses to be root; root gets it running all the same, or one line that says why not."""

import os
import subprocess

import pytest

from domain.refusal import Refusal
from workers.embedded import unprivileged


@pytest.fixture
def closed(tmp_path):
    place = tmp_path / "closed" / "inner"
    place.mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    return place


def test_an_ordinary_user_needs_nothing(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged.prefix([]) == []


@pytest.fixture
def root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unprivileged.shutil, "which", lambda _: "/usr/bin/setpriv")


@pytest.mark.usefixtures("root")
def test_root_keeps_no_capability_where_the_folders_are_open(tmp_path, monkeypatch):
    monkeypatch.setattr(unprivileged, "_reachable", lambda _: True)
    words = unprivileged.prefix([tmp_path])
    assert "--reuid=nobody" in words
    assert not any("caps" in word for word in words)


@pytest.mark.usefixtures("root")
def test_root_keeps_only_the_capability_to_pass_through_closed_folders(closed, monkeypatch):
    monkeypatch.setattr(unprivileged, "_held", lambda bit: bit == 2)
    assert "--ambient-caps=-all,+dac_read_search" in unprivileged.prefix([closed])


@pytest.mark.usefixtures("root")
def test_root_without_that_capability_is_refused_by_the_folder(closed, monkeypatch):
    monkeypatch.setattr(unprivileged, "_held", lambda _: False)
    with pytest.raises(Refusal, match=rf"{closed} is out of reach.*FOLKMOOT_DATABASE_URL"):
        unprivileged.prefix([closed])


def test_root_without_setpriv_is_told_what_is_missing(tmp_path, root, monkeypatch):
    monkeypatch.setattr(unprivileged.shutil, "which", lambda _: None)
    with pytest.raises(Refusal, match="setpriv, which would run it as another user, is not on the PATH: run"):
        unprivileged.prefix([tmp_path])


def test_a_program_behind_a_closed_folder_looks_runnable_to_whom_it_is_run_as(closed):
    """As initdb looks for its server, by access(2)."""
    program = closed / "program"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    words = unprivileged.prefix([closed])  # empty for a user who is not root and may enter
    assert subprocess.run([*words, "test", "-x", program], check=False, cwd="/").returncode == 0
