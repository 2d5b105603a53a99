"""Where everything is: read once at the edge, handed down, never global."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from domain.refusal import Refusal
from domain.strict_json import printable
from eventlog.connection import shown
from workers import model_settings
from workers.embedded import stackfile
from workers.model_settings import DEFAULTS, ModelSettings

CLUSTER = "folkmoot"
# It begins every checkpoint's origin, a line of a signed note, and is its key's name.
_CLUSTER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
# Hosts of a database, each with its port or without; an address of IPv6 in brackets.
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:,@]*)(:[0-9]{1,5})?"
_HOSTS = re.compile(rf"{_HOST}(,{_HOST})*")
# What asyncpg takes of a URL itself, and what Postgres takes from every client. It hands all else on as a
# setting of the session, and a misspelt name is told from one only by the server, at every connection.
_PARAMETERS = {
    *("host", "port", "user", "password", "passfile", "database", "dbname", "service"),
    *("sslmode", "sslnegotiation", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "krbsrvname", "gsslib"),
    *("target_session_attrs", "application_name", "options"),
}
NAMESPACE = "default"
SERVERS = {
    "kafka": "FOLKMOOT_KAFKA",
    "database_url": "FOLKMOOT_DATABASE_URL",
    "temporal_address": "TEMPORAL_ADDRESS",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Addresses and places of one deployment.

    `kafka` is what `eventlog.connection.options` reads, `database_url` a postgresql:// URL, `artifacts`
    an fsspec URL or a folder, `signing_key` the file of the checkpoint key, `data` the folder of local state,
    `region` that of the shared context where a command names none, `model` what reasons.
    A server that `load` was told not to need may be "".
    """

    kafka: str
    database_url: str
    temporal_address: str
    temporal_namespace: str
    cluster: str
    topic_prefix: str
    artifacts: str
    signing_key: str
    data: Path
    region: str = ""
    model: ModelSettings = DEFAULTS

    def __repr__(self) -> str:
        # The addresses of Kafka and of the database may hold passwords, and this ends up in tracebacks.
        return (
            f"Settings(kafka={shown(self.kafka)!r}, temporal={self.temporal_address!r}, data={self.data!r})"
        )


def data_folder(folder: Path, environ: Mapping[str, str]) -> Path:
    """The folder of local state: `FOLKMOOT_DATA`, else `.folkmoot` in `folder`; always absolute."""
    return (folder / environ.get("FOLKMOOT_DATA", ".folkmoot")).absolute()


def load(
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
    needs: Sequence[str] = tuple(SERVERS),
) -> Settings:
    """Settings from the environment first, then from the stack that runs in `folder`.

    Args:
        folder: where to look for `.folkmoot`; the working directory by default.
        environ: the environment; the process's own by default.
        needs: which of `kafka`, `database_url`, `temporal_address` the caller cannot do without.

    Raises:
        Refusal: a needed server is named nowhere (every missing one is named, and what to do), or a setting
            has a value that it cannot have.
    """
    folder = Path.cwd() if folder is None else folder
    environ = os.environ if environ is None else environ
    data = data_folder(folder, environ)
    outside = external(environ)
    stack = stackfile.read(data) or {}
    found = {name: outside.get(name) or str(stack.get(name, "")) for name in SERVERS}
    missing = [SERVERS[name] for name in needs if not found[name]]
    if missing:
        raise Refusal(
            " and ".join(missing), f"not set, and no stack runs in {folder}: start one with `moot dev`"
        )
    return Settings(
        **found,
        temporal_namespace=outside.get("temporal_namespace") or NAMESPACE,
        cluster=_cluster(environ.get("FOLKMOOT_CLUSTER") or CLUSTER),
        topic_prefix=environ.get("FOLKMOOT_TOPIC_PREFIX", ""),
        artifacts=environ.get("FOLKMOOT_ARTIFACTS") or str(data / "artifacts"),
        signing_key=environ.get("FOLKMOOT_SIGNING_KEY") or str(data / "signing.key"),
        data=data,
        region=environ.get("FOLKMOOT_REGION", ""),
        model=model_settings.read(environ),
    )


def _cluster(name: str) -> str:
    if not _CLUSTER.fullmatch(name):
        raise Refusal(
            "FOLKMOOT_CLUSTER",
            f"'{printable(name, 60)}' is not 1 to 128 letters, digits, . _ - or / (first a letter or digit)",
        )
    return name


def external(environ: Mapping[str, str]) -> dict[str, str]:
    """The servers that the environment points at, which the embedded stack therefore does not start.

    Raises:
        Refusal: a Temporal profile is named but cannot be read, or the database's URL is none.
    """
    found = {name: environ[variable] for name, variable in SERVERS.items() if environ.get(variable)}
    if "database_url" in found:
        _check_database(found["database_url"])
    profile = _temporal_profile(environ)
    if "temporal_address" not in found and profile.get("address"):
        found["temporal_address"] = profile["address"]
    namespace = environ.get("TEMPORAL_NAMESPACE") or profile.get("namespace")
    if namespace:
        found["temporal_namespace"] = namespace
    return found


def _check_database(url: str) -> None:
    """No value of it is quoted: of a password with a # or a / in it, the half would be taken for a port."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        sound, query = False, []
    else:
        user, _, hosts = parts.netloc.rpartition("@")
        rest = f"{parts.path}{parts.query}{parts.fragment}" if parts.query or not user else ""
        sound = url.isprintable() and parts.scheme in ("postgresql", "postgres") and "@" not in rest
        sound = sound and _HOSTS.fullmatch(hosts) is not None and not parts.fragment
    if not sound:
        raise Refusal(
            SERVERS["database_url"],
            "is no postgresql://user:password@host:port/name[?parameter=value]; write # / ? @ and % of a"
            " password as %23 %2F %3F %40 and %25",
        )
    names = [name for name, _ in query]
    unknown = [name for name in names if name not in _PARAMETERS]
    if unknown:
        # It may be the half of a password with an & in it.
        secret = {"password", "sslpassword"}.intersection(names)
        which = "a parameter after ?" if secret else f"the parameter '{printable(unknown[0], 40)}'"
        raise Refusal(
            SERVERS["database_url"],
            f"{which} is unknown; leave it out, write a setting of the server's as"
            " ?options=-c%20NAME%3DVALUE, and & in a value as %26",
        )


def _temporal_profile(environ: Mapping[str, str]) -> dict[str, str]:
    # Only a profile asked for by name or file counts: a default profile in the home folder, written for the
    # `temporal` CLI, must not silently point `moot dev` at somebody's production.
    name, named_file = environ.get("TEMPORAL_PROFILE"), environ.get("TEMPORAL_CONFIG_FILE")
    if not name and not named_file:
        return {}
    import tomllib

    home = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config")
    file = Path(named_file) if named_file else home / "temporalio" / "temporal.toml"
    try:
        profiles = tomllib.loads(file.read_text("utf-8")).get("profile", {})
    except (OSError, ValueError) as error:
        raise Refusal("TEMPORAL_CONFIG_FILE", f"{file} cannot be read: {error}") from None
    if name and name not in profiles:
        raise Refusal("TEMPORAL_PROFILE", f"{name!r} is not a profile of {file}")
    profile = profiles.get(name or "default", {})
    return {key: str(profile[key]) for key in ("address", "namespace") if profile.get(key)}
