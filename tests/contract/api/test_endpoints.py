"""Each endpoint as it arrives: request line, query, headers, body; and what is made of the answer."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import authentication, data_files, directory, document_imports, executions
from airflow_provider_mics.api.client import BLOCK_SIZE, MicsClient
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.models import DocumentImport, Execution, Page
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.api.transport import USER_AGENT
from airflow_provider_mics.exceptions import MicsAPIError, MicsNotFoundError
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.sandbox import RequestRecord, Sandbox
    from tests.contract.api.conftest import Connect
    from tests.contract.api.talkers import Talker


@dataclasses.dataclass
class World:
    """An import with an execution that stays PENDING."""

    datamart: str
    import_id: str
    execution_id: str
    error_file: str


@pytest.fixture
def world(sandbox: Sandbox) -> World:
    settings, datamart = APISettings(base_url=sandbox.url), sandbox.datamart_id
    sandbox.hold()
    with MicsClient(settings, TokenCredentials(sandbox.token)) as client:
        made = client.send(document_imports.create(datamart, document_type="USER_PROFILE", name="Profiles"))
        upload = executions.upload(datamart, str(made.id), mime_type="APPLICATION_X_NDJSON", open_body=Opener(LINES))
        execution = client.send(upload)
    return World(datamart, str(made.id), execution.execution_id, sandbox.executions[0].error_file_uri)


def received(sandbox: Sandbox, talker: Talker, call: Call[Any]) -> tuple[RequestRecord, Any]:
    """Send a call and return the one request that this made, and what was read from the answer."""
    before = len(sandbox.requests)
    result = talker.send(call)
    (record,) = sandbox.requests[before:]
    return record, result


IMPORTS = "/v1/datamarts/{w.datamart}/document_imports"
IMPORT = IMPORTS + "/{w.import_id}"
EXECUTIONS = IMPORT + "/executions"
EXECUTION = EXECUTIONS + "/{w.execution_id}"
FIELDS = {
    "document_type": "USER_SEGMENT",
    "mime_type": "TEXT_CSV",
    "encoding": "utf-8",
    "name": "Segment é/?&=",
    "priority": "HIGH",
}


@dataclasses.dataclass
class Case:
    name: str
    call: Callable[[World], Call[Any]]
    method: str
    path: str
    query: dict[str, str] = dataclasses.field(default_factory=dict)
    body: Any = None


CASES = [
    Case("connected user", lambda _: directory.connected_user(), "GET", "/v1/connected_user"),
    Case("datamart", lambda w: directory.datamart(w.datamart), "GET", "/v1/datamarts/{w.datamart}"),
    Case("create import", lambda w: document_imports.create(w.datamart, **FIELDS), "POST", IMPORTS, body=FIELDS),
    Case(
        "list imports",
        lambda w: document_imports.find(w.datamart),
        "GET",
        IMPORTS,
        {"first_result": "0", "max_results": "50"},
    ),
    Case(
        "list imports, all filters",
        lambda w: document_imports.find(
            w.datamart,
            keywords="Profils d'été & co/?#=+%20",
            mime_type="APPLICATION_X_NDJSON",
            document_types=("USER_PROFILE", "USER_ACTIVITY"),
            order_by="name",
            first_result=100,
            max_results=25,
        ),
        "GET",
        IMPORTS,
        {
            "keywords": "Profils d'été & co/?#=+%20",
            "mime_type": "APPLICATION_X_NDJSON",
            "document_types": "USER_PROFILE,USER_ACTIVITY",
            "order_by": "name",
            "first_result": "100",
            "max_results": "25",
        },
    ),
    Case("get import", lambda w: document_imports.get(w.datamart, w.import_id), "GET", IMPORT),
    Case(
        "update import",
        lambda w: document_imports.update(w.datamart, w.import_id, FIELDS),
        "PUT",
        IMPORT,
        body=FIELDS,
    ),
    Case("delete import", lambda w: document_imports.delete(w.datamart, w.import_id), "DELETE", IMPORT),
    Case(
        "list executions",
        lambda w: executions.find(w.datamart, w.import_id, first_result=0, max_results=10),
        "GET",
        EXECUTIONS,
        {"first_result": "0", "max_results": "10"},
    ),
    Case("get execution", lambda w: executions.get(w.datamart, w.import_id, w.execution_id), "GET", EXECUTION),
    Case(
        "cancel execution",
        lambda w: executions.cancel(w.datamart, w.import_id, w.execution_id),
        "POST",
        EXECUTION + "/action",
        body={"action": "CANCEL"},
    ),
    Case(
        "error file",
        lambda w: data_files.download(w.error_file),
        "GET",
        "/v1/data_file/data",
        {"uri": "{w.error_file}"},
    ),
    Case(
        "log in",
        lambda _: authentication.log_in("technical.user@example.com", "sandbox-password"),
        "POST",
        "/v1/authentication/access_tokens",
        body={"email": "technical.user@example.com", "password": "sandbox-password"},
    ),
    Case(
        "refresh token",
        lambda _: authentication.create_refresh_token("technical.user@example.com", "sandbox-password"),
        "POST",
        "/v1/authentication/refresh_tokens",
        body={"email": "technical.user@example.com", "password": "sandbox-password"},
    ),
    Case(
        "revoke",
        lambda _: authentication.revoke_refresh_token("R1"),
        "POST",
        "/v1/authentication/refresh_token/revoke",
        body={"refresh_token": "R1"},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_endpoint_as_it_arrives(case: Case, talker: Talker, world: World, sandbox: Sandbox) -> None:
    record, _ = received(sandbox, talker, case.call(world))
    assert (record.method, record.path) == (case.method, case.path.format(w=world))
    assert record.query == {name: value.format(w=world) for name, value in case.query.items()}
    assert record.status == 200
    assert record.kind != "unknown"
    headers = record.headers
    assert (headers["user-agent"], headers["accept"]) == (USER_AGENT, "application/json")
    if case.body is None:
        assert record.body_bytes == 0
        assert "content-type" not in headers
    else:
        sent = json.dumps(case.body, ensure_ascii=False, separators=(",", ":")).encode()
        assert record.body_sha256 == hashlib.sha256(sent).hexdigest()
        assert (headers["content-type"], headers["content-length"]) == ("application/json", str(len(sent)))


def test_what_the_answers_say(talker: Talker, world: World) -> None:
    datamart = talker.send(directory.datamart(world.datamart))
    assert (datamart.id, datamart.organisation_id) == ("1509", "1426")
    assert talker.send(directory.connected_user()).id == "4711"
    found = talker.send(document_imports.get(world.datamart, world.import_id))
    assert isinstance(found, DocumentImport)
    assert (found.id, found.name, found.datamart_id) == (world.import_id, "Profiles", world.datamart)
    page = talker.send(executions.find(world.datamart, world.import_id))
    assert isinstance(page, Page)
    assert [item.execution_id for item in page.items] == [world.execution_id]
    assert (page.total, page.max_results) == (1, 50)
    execution = talker.send(executions.get(world.datamart, world.import_id, world.execution_id))
    assert isinstance(execution, Execution)
    assert (execution.status, execution.result, execution.is_ended) == ("PENDING", None, False)
    cancelled = talker.send(executions.cancel(world.datamart, world.import_id, world.execution_id))
    assert (cancelled.status, cancelled.cancel_status) == ("CANCELED", "REQUESTED")
    updated = talker.send(document_imports.update(world.datamart, world.import_id, FIELDS))
    assert (updated.id, updated.name, updated.mime_type) == (world.import_id, FIELDS["name"], "TEXT_CSV")
    talker.send(document_imports.delete(world.datamart, world.import_id))
    with pytest.raises(MicsNotFoundError, match=f"document import {world.import_id} of datamart 1509"):
        talker.send(document_imports.get(world.datamart, world.import_id))


def test_a_second_cancel_is_refused_with_the_api_s_words(talker: Talker, world: World) -> None:
    call = executions.cancel(world.datamart, world.import_id, world.execution_id)
    talker.send(call)
    with pytest.raises(MicsAPIError, match=r"HTTP 400: Execution <id> is CANCELED and cannot be canceled") as caught:
        talker.send(call)
    assert type(caught.value) is MicsAPIError


def test_an_import_is_created_as_given(talker: Talker, sandbox: Sandbox) -> None:
    made = talker.send(document_imports.create(sandbox.datamart_id, **FIELDS))
    assert {name: getattr(sandbox.imports[0], name) for name in FIELDS} == FIELDS
    assert made.id == sandbox.imports[0].id


def test_created_may_be_answered_with_201(talker: Talker, sandbox: Sandbox) -> None:
    sandbox.settings.created_status = 201
    assert talker.send(document_imports.create(sandbox.datamart_id, **FIELDS)).id == sandbox.imports[0].id


def test_an_import_is_found_among_many_of_similar_names(talker: Talker, sandbox: Sandbox) -> None:
    for number in range(60):
        fields = FIELDS | {"name": "Night" if number in {7, 55} else f"Night {number}"}
        talker.send(document_imports.create(sandbox.datamart_id, **fields))
    before = len(sandbox.requests)
    wanted = {"name": "Night", "document_type": "USER_SEGMENT", "mime_type": "TEXT_CSV"}
    found = talker.run(document_imports.find_by_name(sandbox.datamart_id, **wanted))
    assert [item.id for item in found] == [sandbox.imports[7].id, sandbox.imports[55].id]
    assert [record.query["first_result"] for record in sandbox.requests[before:]] == ["0", "50"]


def test_calls_share_a_connection(talker: Talker, sandbox: Sandbox) -> None:
    for _ in range(5):
        talker.send(directory.connected_user())
    assert sandbox.count("connections") == 1


@pytest.mark.parametrize("path", ["", "/base"])
def test_the_base_url_may_have_a_path(connect: Connect, sandbox: Sandbox, path: str) -> None:
    client = connect(f"{sandbox.url}{path}/")
    if path:
        with pytest.raises(MicsNotFoundError):
            client.send(directory.connected_user())
    else:
        client.send(directory.connected_user())
    assert sandbox.requests[-1].path == f"{path}/v1/connected_user"


class Beginning:
    """Wants the first bytes only."""

    def __init__(self) -> None:
        self.size = 0

    def feed(self, block: bytes, /) -> None:
        self.size += len(block)

    @property
    def is_settled(self) -> bool:
        return self.size > 0


def test_a_file_is_not_read_on_once_it_is_settled(sandbox: Sandbox) -> None:
    sandbox.hold()
    content = LINES * (20_000_000 // len(LINES))
    with MicsClient(APISettings(base_url=sandbox.url), TokenCredentials(sandbox.token)) as client:
        made = client.send(document_imports.create(sandbox.datamart_id, document_type="USER_PROFILE", name="Profiles"))
        client.send(
            executions.upload(
                sandbox.datamart_id, str(made.id), mime_type="APPLICATION_X_NDJSON", open_body=Opener(content)
            )
        )
        uri = sandbox.executions[0].file_uri

        beginning = client.send(data_files.read_through(uri, Beginning))

        assert 0 < beginning.size <= BLOCK_SIZE
        # What was not read is not taken for the next answer.
        assert client.send(document_imports.get(sandbox.datamart_id, str(made.id))).name == "Profiles"
