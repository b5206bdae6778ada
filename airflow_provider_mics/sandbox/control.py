"""The control API under ``/_sandbox/``: what a test in another process asks of the stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_mics.sandbox.messages import (
    HttpError,
    Request,
    Response,
    json_response,
    not_found,
    path_segments,
)
from airflow_provider_mics.sandbox.record import CONTROL
from airflow_provider_mics.sandbox.users.identifiers import parse_selector

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox.engine import Engine
    from airflow_provider_mics.sandbox.faults import Fault

PREFIX: Final = "/_sandbox/"
_Action = Callable[["Control", Request, list[str]], Awaitable[Any]]


class Control:
    """Answers with plain JSON, without the vendor's envelope and without a token: the port is a loopback one."""

    kind: Final = CONTROL

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def receive(self, request: Request) -> None:
        """Nothing strikes the control API between reading and doing."""

    async def answer(self, request: Request) -> Response:
        """Answer a request under the prefix."""
        if "origin" in request.headers:
            # A page in a browser on this machine could reach the port; a test never sends this header.
            raise HttpError(HTTPStatus.FORBIDDEN, "The control API is not for browsers")
        segments = path_segments(request.path)[1:]
        for method, pattern, action in _ACTIONS:
            if method == request.method and len(pattern) == len(segments):
                pairs = list(zip(pattern, segments, strict=True))
                if all(expected in {"*", actual} for expected, actual in pairs):
                    found = [actual for expected, actual in pairs if expected == "*"]
                    return await self._call(action, request, found)
        raise not_found()

    async def _call(self, action: _Action, request: Request, found: list[str]) -> Response:
        try:
            value = await action(self, request, found)
        except KeyError as error:
            raise HttpError(HTTPStatus.NOT_FOUND, f"Not known to the sandbox: {error}") from error
        except TimeoutError as error:
            raise HttpError(HTTPStatus.REQUEST_TIMEOUT, str(error)) from error
        except (ValueError, TypeError) as error:
            raise HttpError(HTTPStatus.BAD_REQUEST, str(error)) from error
        return value if isinstance(value, Response) else json_response(value)

    async def state(self, _: Request, __: list[str]) -> Any:
        """GET state: everything but the requests."""
        engine = self._engine
        return {
            "url": engine.url,
            "datamarts": engine.access.datamarts,
            "clock": {"kind": engine.clock.kind, "now_ms": engine.clock.now(), "held": engine.clock.held},
            "settings": engine.settings.as_json(),
            "imports": [item.resource() for item in engine.state.imports()],
            "executions": [await engine.describe(item) for item in engine.state.executions()],
            "activities": engine.users.tracking.activities,
            "faults": [fault.as_json() for fault in engine.faults.all()],
            "counts": engine.recorder.counts(),
        }

    async def requests(self, request: Request, _: list[str]) -> Any:
        """GET requests: the last ones, oldest first; ``?last=N`` for fewer."""
        records = self._engine.recorder.records()
        last = int(request.query.get("last", len(records)))
        return [record.as_json() for record in records[max(0, len(records) - last) :]]

    async def counts(self, _: Request, __: list[str]) -> Any:
        """GET counts: how often each thing happened."""
        return self._engine.recorder.counts()

    async def set_settings(self, request: Request, _: list[str]) -> Any:
        """POST settings: names and values."""
        self._engine.settings.update(await request.json_object())
        return self._engine.settings.as_json()

    async def get_settings(self, _: Request, __: list[str]) -> Any:
        """GET settings."""
        return self._engine.settings.as_json()

    async def plan_fault(self, request: Request, _: list[str]) -> Any:
        """POST faults: the arguments of ``FaultPlans.plan``."""
        arguments = await request.json_object()
        return self._engine.faults.plan(arguments.pop("action", ""), **arguments).as_json()

    async def list_faults(self, _: Request, __: list[str]) -> Any:
        """GET faults: each with the numbers of the requests it hit."""
        return [fault.as_json() for fault in self._engine.faults.all()]

    async def clear_faults(self, _: Request, __: list[str]) -> Any:
        """DELETE faults: forget every plan."""
        self._engine.faults.clear()
        return {}

    async def release_fault(self, _: Request, found: list[str]) -> Any:
        """POST faults/N/release: let go what it keeps waiting."""
        fault = self._fault(found[0])
        fault.release()
        return fault.as_json()

    async def wait_for_fault(self, request: Request, found: list[str]) -> Any:
        """POST faults/N/wait: ``{"fired": TIMES}``, ``{"held": TIMES}`` or ``{"gone": TIMES}``, and ``timeout``."""
        body = await request.json_object()
        timeout = float(body.pop("timeout", 10))
        ((word, times),) = body.items()
        fault = self._fault(found[0])
        wait = {"fired": fault.wait_fired, "held": fault.wait_held, "gone": fault.wait_gone}[word]
        await asyncio.to_thread(wait, int(times), timeout)
        return fault.as_json()

    def _fault(self, number: str) -> Fault:
        for fault in self._engine.faults.all():
            if str(fault.number) == number:
                return fault
        raise not_found()

    async def held(self, _: Request, __: list[str]) -> Any:
        """GET held: the requests that are held now, each with its fault and where it stands."""
        records = {record.number: record for record in self._engine.recorder.records()}
        return [
            {"request": number, "fault": fault.number, "when": fault.when, "kind": records[number].kind}
            for fault in self._engine.faults.all()
            for number in list(fault.held)
            if number in records
        ]

    async def uploads(self, _: Request, __: list[str]) -> Any:
        """GET uploads: every upload in the order of arrival, with what became of it."""
        return self._engine.uploads()

    async def publish(self, _: Request, __: list[str]) -> Any:
        """POST publish: lists show everything created so far."""
        return self._engine.state.publish()

    async def hold(self, _: Request, __: list[str]) -> Any:
        """POST hold: executions stand still."""
        self._engine.clock.hold()
        return {"held": True}

    async def release(self, _: Request, __: list[str]) -> Any:
        """POST release: executions go on."""
        self._engine.clock.release()
        return {"held": False}

    async def advance(self, request: Request, _: list[str]) -> Any:
        """POST advance: ``{"seconds": N}``."""
        self._engine.clock.advance(float(_field(await request.json_object(), "seconds")))
        return {"now_ms": self._engine.clock.now()}

    async def execution(self, _: Request, found: list[str]) -> Any:
        """GET executions/ID: the resource with what was received."""
        return await self._engine.describe(self._engine.execution(found[0]))

    async def received(self, _: Request, found: list[str]) -> Any:
        """GET executions/ID/received: the bytes."""
        path = self._engine.execution(found[0]).path
        return Response(HTTPStatus.OK, path, content_type="application/octet-stream")

    async def set_status(self, request: Request, found: list[str]) -> Any:
        """POST executions/ID/status: ``{"status": WORD or null, "message": TEXT}``."""
        body = await request.json_object()
        self._engine.set_status(found[0], _field(body, "status"), body.get("message"))
        return await self._engine.describe(self._engine.execution(found[0]))

    async def override(self, request: Request, found: list[str]) -> Any:
        """POST executions/ID/override: fields merged into its resource."""
        self._engine.override(found[0], await request.json_object())
        return await self._engine.describe(self._engine.execution(found[0]))

    async def rotate_token(self, request: Request, _: list[str]) -> Any:
        """POST tokens/rotate: ``{"token": NEW}`` or ``{}``; answers the new token."""
        return {"token": self._engine.rotate_token((await request.json_object()).get("token"))}

    async def revoke_tokens(self, _: Request, __: list[str]) -> Any:
        """POST tokens/revoke: ends what logins brought."""
        self._engine.access.revoke_issued()
        return {}

    async def items(self, _: Request, __: list[str]) -> Any:
        """GET items: per kind of request, how many items arrived, and were carried out, how often."""
        return self._engine.items.summary()

    async def items_of(self, _: Request, found: list[str]) -> Any:
        """GET items/KIND: every item of a kind, with how often it arrived and was carried out."""
        items = self._engine.items
        return {"received": items.received(found[0]), "committed": items.committed(found[0])}

    async def users(self, _: Request, __: list[str]) -> Any:
        """GET users: how many there are."""
        return {"user_points": len(self._engine.users.points)}

    async def user(self, _: Request, found: list[str]) -> Any:
        """GET users/DATAMART/SELECTOR: all of one person."""
        return self._engine.users.people.describe(found[0], parse_selector(found[1]))

    async def subscribers(self, _: Request, __: list[str]) -> Any:
        """GET metax/subscribers: how many there are."""
        return {"subscribers": len(self._engine.metax.subscribers)}

    async def subscriber(self, _: Request, found: list[str]) -> Any:
        """GET metax/subscribers/ID: a history."""
        return self._engine.metax.subscribers.get(found[0])

    async def rotate_metax_token(self, request: Request, _: list[str]) -> Any:
        """POST metax/tokens/rotate: ``{"token": NEW}`` or ``{}``; answers the new token."""
        return {"token": self._engine.metax.access.rotate((await request.json_object()).get("token"))}

    async def revoke_metax_tokens(self, _: Request, __: list[str]) -> Any:
        """POST metax/tokens/revoke: ends what client credentials brought."""
        self._engine.metax.access.revoke_issued()
        return {}

    async def reset(self, _: Request, __: list[str]) -> Any:
        """POST reset: forget imports, executions, faults and requests; settings stay."""
        self._engine.reset()
        return {}


def _field(body: dict[str, Any], name: str) -> Any:
    if name not in body:
        message = f"{name} is missing"
        raise ValueError(message)
    return body[name]


_ACTIONS: Final[tuple[tuple[str, tuple[str, ...], _Action], ...]] = (
    ("GET", ("state",), Control.state),
    ("GET", ("requests",), Control.requests),
    ("GET", ("counts",), Control.counts),
    ("GET", ("settings",), Control.get_settings),
    ("POST", ("settings",), Control.set_settings),
    ("GET", ("faults",), Control.list_faults),
    ("POST", ("faults",), Control.plan_fault),
    ("DELETE", ("faults",), Control.clear_faults),
    ("POST", ("faults", "*", "release"), Control.release_fault),
    ("POST", ("faults", "*", "wait"), Control.wait_for_fault),
    ("GET", ("held",), Control.held),
    ("GET", ("uploads",), Control.uploads),
    ("POST", ("publish",), Control.publish),
    ("POST", ("hold",), Control.hold),
    ("POST", ("release",), Control.release),
    ("POST", ("advance",), Control.advance),
    ("GET", ("executions", "*"), Control.execution),
    ("GET", ("executions", "*", "received"), Control.received),
    ("POST", ("executions", "*", "status"), Control.set_status),
    ("POST", ("executions", "*", "override"), Control.override),
    ("POST", ("tokens", "rotate"), Control.rotate_token),
    ("POST", ("tokens", "revoke"), Control.revoke_tokens),
    ("GET", ("items",), Control.items),
    ("GET", ("items", "*"), Control.items_of),
    ("GET", ("users",), Control.users),
    ("GET", ("users", "*", "*"), Control.user),
    ("GET", ("metax", "subscribers"), Control.subscribers),
    ("GET", ("metax", "subscribers", "*"), Control.subscriber),
    ("POST", ("metax", "tokens", "rotate"), Control.rotate_metax_token),
    ("POST", ("metax", "tokens", "revoke"), Control.revoke_metax_tokens),
    ("POST", ("reset",), Control.reset),
)
