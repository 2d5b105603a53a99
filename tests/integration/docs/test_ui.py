"""The tutorial's JSON box: what the Temporal UI sends when a reader pastes the page's input into it."""

import base64
import json
import uuid
from http.cookiejar import CookieJar
from urllib.parse import quote
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest

from tests.integration.docs.conftest import Running
from tests.integration.docs.reader import Shell
from tests.unit.docs.page import ROOT, blocks, matches

TUTORIAL = ROOT / "docs" / "tutorial" / "first-decision.md"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def start(ui: str, workflow_id: str, text: str) -> None:
    """As the page behind *Start Workflow* does it: the UI's own HTTP interface, its token against CSRF."""
    cookies = CookieJar()
    browser = build_opener(HTTPCookieProcessor(cookies))
    browser.open(f"{ui}/api/v1/settings").close()
    payload = {"metadata": {"encoding": encoded("json/plain")}, "data": encoded(text)}
    body = {
        "workflowId": workflow_id,
        "workflowType": {"name": "ReachConsensus"},
        "taskQueue": {"name": "folkmoot"},
        "input": {"payloads": [payload]},
        "requestId": str(uuid.uuid4()),
    }
    request = Request(  # noqa: S310 # our own stack's address
        f"{ui}/api/v1/namespaces/default/workflows/{quote(workflow_id, safe='')}",
        json.dumps(body).encode(),
        {"content-type": "application/json", "x-csrf-token": next(c.value or "" for c in cookies)},
    )
    browser.open(request).close()


@pytest.mark.parametrize("workflow_id", ["consensus/{}", "{}-of-the-ui"])
def test_the_tutorials_input_pasted_into_the_ui_decides(stack: Running, tmp_path, workflow_id):
    (pasted,) = [block.text for block in blocks(TUTORIAL) if block.kind == "json" and not block.said]
    name = f"pasted-{uuid.uuid4().hex[:8]}"
    start(stack.ui, workflow_id.format(name), pasted.replace("release-8", name))
    shell = Shell(tmp_path, stack.environ)
    try:
        printed, status = shell.run(f"temporal workflow result --workflow-id {workflow_id.format(name)}")
    finally:
        shell.close()
    assert status == 0, printed
    assert matches('…\n  Status COMPLETED\n  Result {…"consensus":"ship",…\n…', printed), printed
