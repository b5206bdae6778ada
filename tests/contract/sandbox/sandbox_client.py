"""A client of the stand-in for its tests: plain requests, nothing of the provider."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import requests

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox

GOOD = b'{"operation":"UPSERT","user_account_id":"crm-1","force_replace":false,"user_profile":{"city":"Lyon"}}\n'
BAD = b'{"operation":"UPSERT","force_replace":false,"user_profile":{"city":"Lyon"}}\n'
NDJSON = "application/x-ndjson"


class Client:
    """One session; every call returns the response as it is."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = sandbox.token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    @property
    def base(self) -> str:
        return f"/v1/datamarts/{self.sandbox.datamart_id}/document_imports"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.sandbox.url + path, timeout=30, **options)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.call("POST", path, json=body)

    def control(self, path: str, body: Any = None) -> Any:
        response = self.call("GET" if body is None else "POST", f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def create_import(self, document_type: str = "USER_PROFILE", name: str = "An import", **fields: Any) -> str:
        body = {"document_type": document_type, "mime_type": "APPLICATION_X_NDJSON", "encoding": "utf-8", "name": name}
        response = self.post(self.base, body | fields)
        assert response.status_code == 200, response.text
        return str(data_of(response)["id"])

    def upload(self, import_id: str, body: Any = GOOD, content_type: str = NDJSON, **headers: str) -> requests.Response:
        return self.call(
            "POST",
            f"{self.base}/{import_id}/executions",
            data=body,
            headers={"Content-Type": content_type, **headers},
        )

    def uploaded(self, import_id: str, body: Any = GOOD, content_type: str = NDJSON) -> str:
        response = self.upload(import_id, body, content_type)
        assert response.status_code == 200, response.text
        return str(data_of(response)["id"])

    def execution(self, import_id: str, execution_id: str) -> Any:
        response = self.get(f"{self.base}/{import_id}/executions/{execution_id}")
        assert response.status_code == 200, response.text
        return data_of(response)

    def executions(self, import_id: str) -> Any:
        response = self.get(f"{self.base}/{import_id}/executions")
        assert response.status_code == 200, response.text
        return data_of(response)

    def cancel(self, import_id: str, execution_id: str) -> requests.Response:
        return self.post(f"{self.base}/{import_id}/executions/{execution_id}/action", {"action": "CANCEL"})

    def checked(self, document_type: str, body: bytes, content_type: str = NDJSON, **fields: Any) -> Any:
        """Upload under a new import and return the execution once it is done (manual clock)."""
        import_id = self.create_import(document_type, **fields)
        execution_id = self.uploaded(import_id, body, content_type)
        self.sandbox.advance(10)
        return self.execution(import_id, execution_id)


def data_of(response: requests.Response) -> Any:
    """The data of a success envelope."""
    envelope = response.json()
    assert envelope["status"] == "ok", envelope
    return envelope["data"]


def error_of(response: requests.Response, status: int) -> str:
    """The text of an error envelope, whose shape is checked."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].startswith("application/json")
    envelope = response.json()
    assert set(envelope) - {"error_code"} == {"status", "error", "error_id"}
    assert envelope["status"] == "error"
    return str(envelope["error"])


def connect(sandbox: Sandbox) -> socket.socket:
    """A bare connection."""
    parts = urlsplit(sandbox.url)
    return socket.create_connection((str(parts.hostname), parts.port or 0), timeout=20)


def head(method: str, path: str, *headers: str) -> bytes:
    """Bytes of a request's head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: sandbox", *headers, "", ""]).encode()


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server ends the connection."""
    pieces = []
    while piece := connection.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def read_reply(connection: socket.socket) -> tuple[int, Any]:
    """One answer with a Content-Length: its status and its JSON."""
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    top, _, body = received.partition(b"\r\n\r\n")
    lines = top.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    return int(lines[0].split()[1]), json.loads(body)
