"""The stand-in as a process of its own, and its control API."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.contract.sandbox.sandbox_client import BAD, GOOD, NDJSON, Client, data_of, error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.sandbox import Sandbox

ROOT = Path(__file__).parents[3]


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "airflow_provider_mics.sandbox", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:  # noqa: S603 - ours
        try:
            yield running
        finally:
            running.terminate()


def url_of(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    line = running.stdout.readline()
    found = re.fullmatch(
        r"mediarithmics sandbox on (http://127\.0\.0\.1:\d+)  token=api:sandbox-token  datamart_id=1509"
        r"  organisation_id=1426  \(stop with Ctrl-C\)\n",
        line,
    )
    assert found is not None, line
    return found[1]


def memory_peak(pid: int) -> int:
    """Highest resident memory so far, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_start_and_end(tmp_path: Path, number: signal.Signals) -> None:
    ready, kept = tmp_path / "ready.json", tmp_path / "kept"
    kept.mkdir()
    with process("--ready-file", str(ready), "--verbose", "--folder", str(kept)) as running:
        url = url_of(running)
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(f"{url}/v1/nowhere", timeout=9).status_code == 401
            assert running.stdout is not None
            assert re.match(r"\d\d:\d\d:\d\d\.\d{3}Z  GET /v1/nowhere  0 B  -> 401", running.stdout.readline())
            assert json.loads(ready.read_text()) == {
                "url": url,
                "token": "api:sandbox-token",
                "pid": running.pid,
                "datamart_id": "1509",
                "organisation_id": "1426",
                "metax_token": "metax-sandbox-token",
                "metax_clients": {"sandbox-client": "sandbox-client-secret"},
            }
            assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["ready.json"]
            running.send_signal(number)
            assert running.wait(10) == 0
    assert list(kept.iterdir()) == []


def test_what_cannot_start() -> None:
    with process("--host", "0.0.0.0") as running:  # noqa: S104 - refused, which is the point
        assert running.wait(10) == 1


def test_big_upload_needs_no_memory(tmp_path: Path) -> None:
    line = b'{"operation":"UPSERT","user_account_id":"crm-%07d","user_profile":{"note":"' + b"x" * 900 + b'"}}\n'
    piece = b"".join(line % number for number in range(1200))
    pieces = 120_000_000 // len(piece) + 1
    with process("--max-body-bytes", "200000000", "--folder", str(tmp_path)) as running:
        url = url_of(running)
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = "api:sandbox-token"
            base = f"{url}/v1/datamarts/1509/document_imports"
            body = {"document_type": "USER_PROFILE", "mime_type": "APPLICATION_X_NDJSON", "name": "Big"}
            import_id = data_of(session.post(base, json=body, timeout=9))["id"]
            headers = {"Content-Type": NDJSON}
            path = f"{base}/{import_id}/executions"
            session.post(path, data=piece, headers=headers, timeout=9).raise_for_status()
            before = memory_peak(running.pid)
            execution_id = data_of(session.post(path, data=iter([piece] * pieces), headers=headers, timeout=60))["id"]
            session.post(f"{url}/_sandbox/advance", json={"seconds": 60}, timeout=9).raise_for_status()
            done = data_of(session.get(f"{path}/{execution_id}", timeout=60))
            assert done["result"]["total_success"] == 1200 * pieces
            with session.get(f"{url}/_sandbox/executions/{execution_id}/received", stream=True, timeout=60) as received:
                assert sum(len(part) for part in received.iter_content(2**20)) == len(piece) * pieces >= 120_000_000
            assert memory_peak(running.pid) - before < 64 * 2**20


def test_control(client: Client, sandbox: Sandbox) -> None:
    client.control(
        "settings",
        {"reject_marker": "crm-9", "pending_s": 1, "life_cycle": [["PENDING", 1], ["RUNNING", 1], ["SUCCEEDED", 0]]},
    )
    assert client.control("settings")["pending_s"] == 1
    import_id = client.create_import()
    client.control("hold", {})
    execution_id = client.uploaded(import_id, GOOD + BAD)
    client.control("advance", {"seconds": 50})
    assert client.execution(import_id, execution_id)["status"] == "PENDING"
    client.control("release", {})
    assert client.control("advance", {"seconds": 1}) == {"now_ms": 1609410143659 + 51_000}
    state = client.control("state")
    assert [item["id"] for item in state["imports"]] == [import_id]
    (execution,) = state["executions"]
    assert (execution["id"], execution["status"], execution["document_import_id"]) == (
        execution_id,
        "RUNNING",
        import_id,
    )
    assert execution["received"] == {
        "bytes": len(GOOD + BAD),
        "lines": 2,
        "sha256": sandbox.executions[0].sha256,
    }
    assert state["clock"]["held"] is False
    assert state["counts"] == client.control("counts")
    assert client.get(f"/_sandbox/executions/{execution_id}/received").content == GOOD + BAD
    assert client.control(f"executions/{execution_id}/status", {"status": "LOST", "message": "x"})["status"] == "LOST"
    assert client.control(f"executions/{execution_id}/status", {"status": None})["status"] == "RUNNING"
    client.control("advance", {"seconds": 1})
    override: dict[str, Any] = {"result": {"total_success": 8}}
    assert client.control(f"executions/{execution_id}/override", override)["result"]["total_success"] == 8
    assert client.control(f"executions/{execution_id}")["result"]["total_success"] == 8
    assert [item["kind"] for item in client.control("requests")] == [
        "create_document_import",
        "create_execution",
        "get_execution",
    ]
    assert len(client.get("/_sandbox/requests", last=1).json()) == 1
    assert client.control("tokens/rotate", {"token": "api:new"}) == {"token": "api:new"} == {"token": sandbox.token}
    assert client.control("tokens/revoke", {}) == {}
    client.control("reset", {})
    assert client.control("state")["executions"] == []


def test_faults_by_control(client: Client) -> None:
    planned = client.control("faults", {"action": "status", "status": 500, "kind": "get_connected_user", "times": None})
    assert error_of(client.get("/v1/connected_user"), 500)
    (fault,) = client.control("faults")
    assert (fault["number"], fault["fired"], fault["times"]) == (planned["number"], [1], None)
    assert client.control(f"faults/{planned['number']}/release", {})["number"] == planned["number"]
    assert client.call("DELETE", "/_sandbox/faults").json() == {}
    assert client.get("/v1/connected_user").status_code == 200


def test_control_refusals(client: Client) -> None:
    assert error_of(client.get("/_sandbox/nothing"), 404)
    assert error_of(client.get("/_sandbox/executions/1"), 404)
    assert error_of(client.post("/_sandbox/faults/7/release"), 404)
    assert error_of(client.post("/_sandbox/settings", {"x": 1}), 400)
    assert error_of(client.post("/_sandbox/advance", {"seconds": -1}), 400)
    assert error_of(client.post("/_sandbox/advance", {}), 400)
    assert error_of(client.call("POST", "/_sandbox/hold", headers={"Origin": "https://example.com"}), 403)


def test_importing_the_provider_does_not_bring_the_sandbox() -> None:
    code = (
        "import sys, airflow_provider_mics; print([name for name in sys.modules if 'sandbox' in name or name == 'h11'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    assert done.stdout == "[]\n"


def test_the_sandbox_needs_little() -> None:
    code = (
        "import sys, airflow_provider_mics.sandbox;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'airflow', 'requests', 'aiohttp', 'h11'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603
    assert done.stdout == "['h11']\n"
