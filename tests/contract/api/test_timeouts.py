from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from airflow_provider_mics.api import directory, executions
from airflow_provider_mics.api.async_client import AsyncMicsClient
from airflow_provider_mics.api.credentials import TokenCredentials
from airflow_provider_mics.api.settings import APISettings
from airflow_provider_mics.exceptions import MicsTransportError, Outcome
from tests.contract.api.bodies import LINES, Opener

if TYPE_CHECKING:
    from typing import Any

    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.api.conftest import Connect


@pytest.mark.parametrize("when", ["before_body", "after_commit"])
def test_a_slow_answer_is_given_up_and_asked_for_again(when: Any, connect: Connect, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("delay", kind="get_connected_user", times=2, when=when)
    talker = connect(sandbox.url, timeout_s=0.15)
    assert talker.send(directory.connected_user()).id == "4711"
    assert len(fault.fired) == 2
    fault.release()


def test_an_answer_that_never_comes_is_an_error_that_says_how_long(connect: Connect, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("delay", kind="get_connected_user", times=None)
    talker = connect(sandbox.url, timeout_s=0.1)
    with pytest.raises(MicsTransportError, match=r"the user of the API token: no answer within 0\.1 s\.") as caught:
        talker.send(directory.connected_user())
    assert caught.value.outcome is Outcome.UNKNOWN
    fault.release()


def test_an_answer_that_stops_in_its_middle_is_given_up(connect: Connect, sandbox: Sandbox) -> None:
    fault = sandbox.faults.plan("drip", kind="get_connected_user", times=None, piece_bytes=40, seconds=60)
    talker = connect(sandbox.url, timeout_s=0.1)
    with pytest.raises(MicsTransportError, match=r"no answer within 0\.1 s"):
        talker.send(directory.connected_user())
    fault.release()


def test_an_answer_that_comes_slowly_but_steadily_is_waited_for(connect: Connect, sandbox: Sandbox) -> None:
    """The timeout is for the time without any progress."""
    sandbox.faults.plan("drip", kind="get_connected_user", piece_bytes=20, seconds=0.06)
    assert connect(sandbox.url, timeout_s=0.5).send(directory.connected_user()).id == "4711"
    assert sandbox.count("get_connected_user") == 1


class TestAsyncClient:
    """What only the asynchronous client has."""

    def test_many_calls_wait_at_the_same_time(self, sandbox: Sandbox) -> None:
        """None of these answers comes before all were asked for."""
        fault = sandbox.faults.plan("delay", kind="get_connected_user", times=None)

        async def main() -> list[str]:
            async with AsyncMicsClient(APISettings(base_url=sandbox.url), TokenCredentials(sandbox.token)) as client:
                calls = [asyncio.ensure_future(client.send(directory.connected_user())) for _ in range(20)]
                await asyncio.to_thread(fault.wait_fired, 20)
                fault.release()
                return [str(user.id) for user in await asyncio.gather(*calls)]

        assert asyncio.run(main()) == ["4711"] * 20

    def test_a_call_can_be_cancelled(self, sandbox: Sandbox) -> None:
        fault = sandbox.faults.plan("delay", kind="get_connected_user", times=None)

        async def main() -> None:
            async with AsyncMicsClient(APISettings(base_url=sandbox.url), TokenCredentials(sandbox.token)) as client:
                call = asyncio.ensure_future(client.send(directory.connected_user()))
                await asyncio.to_thread(fault.wait_fired)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
                fault.release()

        asyncio.run(main())
        assert sandbox.count("get_connected_user") == 1

    def test_it_refuses_uploads(self, sandbox: Sandbox) -> None:
        async def main() -> None:
            async with AsyncMicsClient(APISettings(base_url=sandbox.url), TokenCredentials(sandbox.token)) as client:
                await client.send(executions.upload("1", "2", mime_type="TEXT_CSV", open_body=Opener(LINES)))

        with pytest.raises(TypeError, match="not for uploads"):
            asyncio.run(main())
        assert sandbox.count("connections") == 0

    def test_it_is_used_within_its_context_only(self) -> None:
        client = AsyncMicsClient(APISettings(), TokenCredentials("x"))
        with pytest.raises(TypeError, match="async with"):
            asyncio.run(client.send(directory.connected_user()))
