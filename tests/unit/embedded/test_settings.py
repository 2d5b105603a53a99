"""The environment speaks first, then the stack in the folder, and what nobody names is refused at once."""

import os

import pytest

from domain.refusal import Refusal
from workers import settings
from workers.embedded import folder as claims
from workers.embedded import stackfile

STACK = {
    "pid": os.getpid(),
    "kafka": "stack:1",
    "database_url": "postgresql://folkmoot:secret@stack:2/folkmoot",
    "temporal_address": "stack:3",
}


@pytest.fixture
def folder(tmp_path):
    claim = claims.claim(tmp_path / ".folkmoot")
    stackfile.write(tmp_path / ".folkmoot", STACK)
    yield tmp_path
    claim.release()


def test_the_running_stack_is_found_in_its_folder(folder):
    found = settings.load(folder, {})
    assert (found.kafka, found.temporal_address) == ("stack:1", "stack:3")
    assert found.data == folder / ".folkmoot"


def test_the_environment_wins_over_the_stack_one_setting_at_a_time(folder):
    found = settings.load(folder, {"FOLKMOOT_KAFKA": "mine:1"})
    assert (found.kafka, found.temporal_address) == ("mine:1", "stack:3")


def test_an_empty_variable_is_as_good_as_none(folder):
    assert settings.load(folder, {"FOLKMOOT_KAFKA": ""}).kafka == "stack:1"


def test_every_missing_server_is_named_at_once_with_the_way_out(tmp_path):
    with pytest.raises(Refusal) as refused:
        settings.load(tmp_path, {"FOLKMOOT_KAFKA": "mine:1"})
    said = str(refused.value)
    assert "FOLKMOOT_DATABASE_URL" in said
    assert "TEMPORAL_ADDRESS" in said
    assert "FOLKMOOT_KAFKA" not in said
    assert "moot dev" in said


def test_a_server_that_is_not_needed_may_be_missing(tmp_path):
    found = settings.load(tmp_path, {"TEMPORAL_ADDRESS": "mine:3"}, needs=["temporal_address"])
    assert (found.temporal_address, found.kafka) == ("mine:3", "")


def test_another_data_folder_is_named_by_the_environment(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert settings.load(elsewhere, {"FOLKMOOT_DATA": str(folder / ".folkmoot")}).kafka == "stack:1"


def test_the_password_does_not_show_in_a_traceback(folder):
    assert "secret" not in repr(settings.load(folder, {}))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret#x@db:5432/name",
        "postgresql://u:1234#x@db:5432/name",
        "postgresql://u:secret/@db:5432/name",
        "postgresql://u:1234?@db:5432/name",
        "postgresql://u:secret@[::1/name",
        "postgresql://u:secret@db:port/name",
        "postgresql://u:secret\n@db:5432/name",
        "mysql://u:secret@db:5432/name",
        "u:secret@db",
        "postgresql://u:secret@1234?some=5@db/name",
        "postgresql://u:secret@db/name?sslmode",
        "postgresql://u:secret@db/name?sslmode=require&&",
    ],
)
def test_a_database_url_that_is_none_is_refused_and_nothing_of_it_is_quoted(folder, url):
    with pytest.raises(Refusal, match=r"^FOLKMOOT_DATABASE_URL: is no postgresql://user") as refused:
        settings.load(folder, {"FOLKMOOT_DATABASE_URL": url})
    assert not any(part in str(refused.value) for part in ("secret", "1234"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:se%23ret@db:5432/name?sslmode=require",
        "postgres://db/name",
        "postgresql://u:a@b@db/name",
        "postgresql://u:s@a:1,b:2/name",
        "postgresql://u@[::1]:5432/name",
        "postgresql:///name?host=/run/postgresql",
        "postgresql://u@db/name?sslmode=verify-full&sslrootcert=/ca.pem&target_session_attrs=read-write",
        "postgresql://u@db/name?application_name=ours&options=-c%20statement_timeout%3D5s",
    ],
)
def test_a_database_url_may_be_all_that_the_driver_takes(folder, url):
    assert settings.load(folder, {"FOLKMOOT_DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("foo=bar", "foo"),
        ("sslmode=require&connect_timeout=5", "connect_timeout"),
        ("a%1B=x", "a\\x1b"),
        ("=x", ""),
    ],
)
def test_a_parameter_that_the_driver_does_not_know_is_refused_by_name(folder, query, named):
    with pytest.raises(Refusal) as refused:
        settings.load(folder, {"FOLKMOOT_DATABASE_URL": f"postgresql://u:secret@db/name?{query}"})
    said = str(refused.value)
    assert said.startswith(f"FOLKMOOT_DATABASE_URL: the parameter '{named}' is unknown; leave it out, ")
    assert said.isprintable()
    assert "secret" not in said


def test_the_half_of_a_password_is_not_taken_for_a_parameter_and_said(folder):
    with pytest.raises(Refusal, match="and & in a value as %26") as refused:
        settings.load(folder, {"FOLKMOOT_DATABASE_URL": "postgresql://db/name?user=u&password=se&cret=="})
    assert str(refused.value).startswith("FOLKMOOT_DATABASE_URL: a parameter after ? is unknown; ")
    assert "cret" not in str(refused.value)


def test_a_password_that_a_fragment_would_cut_is_refused(folder):
    with pytest.raises(Refusal, match="as %23") as refused:
        settings.load(folder, {"FOLKMOOT_DATABASE_URL": "postgresql://db/name?password=se#cret"})
    assert "cret" not in str(refused.value)


def test_every_variable_of_ours_has_its_effect(folder):
    names = ("artifacts", "signing_key", "cluster", "topic_prefix")
    found = settings.load(folder, {f"FOLKMOOT_{name.upper()}": f"my-{name}" for name in names})
    assert [getattr(found, name) for name in names] == [f"my-{name}" for name in names]


@pytest.mark.parametrize(
    "name", ["folk moot", "folkmoot\n", "a\nb", "a+b", "/a", "ä", "a" * 129, "\x1b[31m", " "]
)
def test_a_cluster_that_could_not_be_in_a_signed_note_is_refused_by_name(folder, name):
    with pytest.raises(Refusal, match=r"^FOLKMOOT_CLUSTER: '.*' is not 1 to 128 letters") as refused:
        settings.load(folder, {"FOLKMOOT_CLUSTER": name})
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["folkmoot", "example.org/decisions", "a", "A-1_b", "a" * 128])
def test_a_cluster_may_be_a_name_or_a_place_on_the_web(folder, name):
    assert settings.load(folder, {"FOLKMOOT_CLUSTER": name}).cluster == name


@pytest.fixture
def profiles(tmp_path):
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.cloud]\naddress = "cloud:7233"\nnamespace = "decisions"\n')
    return {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "cloud"}


def test_a_temporal_profile_that_is_asked_for_gives_address_and_namespace(folder, profiles):
    found = settings.load(folder, profiles)
    assert (found.temporal_address, found.temporal_namespace) == ("cloud:7233", "decisions")


def test_an_address_in_the_environment_wins_over_the_profile(folder, profiles):
    assert settings.load(folder, {**profiles, "TEMPORAL_ADDRESS": "mine:3"}).temporal_address == "mine:3"


def test_a_profile_in_the_home_folder_does_not_count_unasked(folder, tmp_path):
    place = tmp_path / ".config" / "temporalio"
    place.mkdir(parents=True)
    (place / "temporal.toml").write_text('[profile.default]\naddress = "production:7233"\n')
    assert settings.load(folder, {"HOME": str(tmp_path)}).temporal_address == "stack:3"
    asked = {"HOME": str(tmp_path), "TEMPORAL_PROFILE": "default"}
    assert settings.load(folder, asked).temporal_address == "production:7233"


@pytest.mark.parametrize("content", ["[profile", "\xff", None])
def test_a_profile_file_that_cannot_be_read_is_refused_by_name(folder, tmp_path, content):
    file = tmp_path / "broken.toml"
    if content is not None:
        file.write_text(content, "latin-1")
    with pytest.raises(Refusal, match="TEMPORAL_CONFIG_FILE"):
        settings.load(folder, {"TEMPORAL_CONFIG_FILE": str(file)})


def test_a_profile_that_does_not_exist_is_refused_by_name(folder, profiles):
    with pytest.raises(Refusal, match=r"TEMPORAL_PROFILE.*'absent'"):
        settings.load(folder, {**profiles, "TEMPORAL_PROFILE": "absent"})
