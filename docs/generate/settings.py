"""`docs/reference/settings.md`: every environment variable that is read, held to the code by a test."""

from dataclasses import dataclass

_INTRO = """\
# Settings

<!-- Made by `make docs` from docs/generate/settings.py, which a test holds against the code. -->

Settings are environment variables, read once when a command or worker starts (`workers/settings.py`). There
is no configuration file. A server that is not named is looked for in `stack.json` of the data folder, which
a running `moot dev` writes; a variable comes before it. What is needed and found nowhere is refused by name.
"""


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable; `default` in words, empty where there is none."""

    name: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    """Variables that belong together."""

    title: str
    about: str
    variables: tuple[Variable, ...]


GROUPS = (
    Group(
        "The servers",
        "A server named here is not started by `moot dev`.",
        (
            Variable(
                "FOLKMOOT_KAFKA",
                "the running stack's",
                "`host:port[,host:port…]`, or a URL: `kafka://` in clear, `kafkas://` with TLS, "
                "`[user:password@]host:port[,…][?mechanism=…&ca=FILE&cert=FILE&key=FILE]`. Mechanisms: "
                "`SCRAM-SHA-512` (default), `SCRAM-SHA-256`, `PLAIN`. User and password are percent-encoded.",
            ),
            Variable(
                "FOLKMOOT_DATABASE_URL",
                "the running stack's",
                "`postgresql://user:password@host:port/database`; `?sslmode=…` and the like as asyncpg reads "
                "them; settings of the session as `?options=-c%20NAME%3DVALUE`. Any other is refused.",
            ),
            Variable("TEMPORAL_ADDRESS", "the running stack's", "`host:port` of Temporal's front end."),
            Variable("TEMPORAL_NAMESPACE", "`default`", "Temporal's namespace."),
            Variable(
                "TEMPORAL_PROFILE",
                "",
                "A profile of the `temporal` CLI's configuration file: address, namespace, API key, TLS. It "
                "is read only when this or `TEMPORAL_CONFIG_FILE` is set.",
            ),
            Variable(
                "TEMPORAL_CONFIG_FILE",
                "`temporalio/temporal.toml` in the home's configuration",
                "Where profiles are.",
            ),
            Variable(
                "TEMPORAL_API_KEY, TEMPORAL_TLS…",
                "",
                "As the `temporal` CLI reads them: API key, certificates, server name.",
            ),
        ),
    ),
    Group(
        "This deployment",
        "The same for every process of one deployment.",
        (
            Variable(
                "FOLKMOOT_TOPIC_PREFIX", "empty", "Stands before every topic's name, on a shared cluster."
            ),
            Variable(
                "FOLKMOOT_CLUSTER",
                "`folkmoot`",
                "First part of every checkpoint's origin: up to 128 letters, digits, `.`, `_`, `-`, `/`; "
                "never change it.",
            ),
            Variable(
                "FOLKMOOT_SIGNING_KEY",
                "`signing.key` in the data folder",
                "The file of the checkpoint key (mode 0600, made once), or `command:` and a command line "
                "that prints it. It may be changed with `moot audit key` only.",
            ),
            Variable(
                "FOLKMOOT_CONTEXT_POLICY",
                "the layers' defaults, nothing pinned",
                "A TOML or JSON file, the same for every process: how each layer of the shared context is "
                "passed on and settled, and what is pinned to which regions. After a change of its rules: "
                "`moot rebuild context`.",
            ),
            Variable(
                "FOLKMOOT_CONFLICT_POLICY",
                "the defaults, no members",
                "A TOML or JSON file, for the projector: who may sit on panels about shared context, "
                "how many cases run at once, and by which rules.",
            ),
            Variable(
                "FOLKMOOT_ARTIFACTS",
                "`artifacts` in the data folder",
                "A folder, or a URL that fsspec knows (`s3://bucket/path`; its driver must be installed). "
                "Every worker needs the same one.",
            ),
            Variable(
                "FOLKMOOT_TRAINERS",
                "none",
                "Trainers of your own beside those installed, `module:factory` with commas between; every "
                "node that trains by one needs it, and the orchestrator. Their modules are imported.",
            ),
            Variable(
                "FOLKMOOT_MEDIATOR",
                "`rules`",
                "Who mediates on the orchestrator: `rules`, which count and abstain, or `model`.",
            ),
            Variable(
                "FOLKMOOT_MODEL",
                "",
                "The model that reasons, `provider:name` as pydantic-ai knows it; its key is where its "
                "provider looks for it. Needs `folkmoot[model]` and the provider's package.",
            ),
            Variable(
                "FOLKMOOT_MODEL_INPUT_TOKENS",
                "`32000`",
                "The most that one question may have; one longer than four characters a token is not sent.",
            ),
            Variable("FOLKMOOT_MODEL_OUTPUT_TOKENS", "`2000`", "The most that one answer may have."),
            Variable(
                "FOLKMOOT_MODEL_COST",
                "no limit",
                "The most that one question may cost, in US dollars; an answer that cost more, or of "
                "unknown price, is no verdict.",
            ),
        ),
    ),
    Group(
        "This machine",
        "",
        (
            Variable(
                "FOLKMOOT_DATA",
                "`.folkmoot` in the working folder",
                "Local state, and the running stack's addresses.",
            ),
            Variable(
                "FOLKMOOT_REGION",
                "",
                "The region of the shared context that `moot context` reads and writes; `--region` comes "
                "before it.",
            ),
            Variable(
                "FOLKMOOT_CACHE",
                "the platform's cache folder",
                "Where Kafka's jars are kept, checked at every start.",
            ),
            Variable(
                "FOLKMOOT_DEBUG", "unset", "Set: an unexpected error prints its traceback (as `--debug`)."
            ),
            Variable(
                "JAVA_HOME", "", "The Java (17 or newer) that the embedded Kafka runs on, before any other."
            ),
        ),
    ),
)


def page() -> str:
    """The reference as Markdown."""
    return "\n".join([_INTRO, *(_section(group) for group in GROUPS)])


def names() -> set[str]:
    """Every variable named on the page."""
    return {name for group in GROUPS for one in group.variables for name in one.name.split(", ")}


def _section(group: Group) -> str:
    rows = [f"| `{one.name}` | {one.default or 'none'} | {one.meaning} |" for one in group.variables]
    about = f"{group.about}\n\n" if group.about else ""
    return (
        f"## {group.title}\n\n{about}| variable | default | meaning |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
