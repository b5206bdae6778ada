from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api import authentication, data_files, directory, document_imports, executions
from airflow_provider_mics.api.repeat import delay_before_repeat, may_repeat
from airflow_provider_mics.exceptions import (
    MicsAPIError,
    MicsAuthenticationError,
    MicsConfigurationError,
    MicsNotFoundError,
    MicsPermissionError,
    MicsRateLimitError,
    MicsRedirectError,
    MicsReplyError,
    MicsServerError,
    MicsSourceError,
    MicsTLSError,
    MicsTransportError,
    Outcome,
)

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call


class Nothing(io.BytesIO):
    def __len__(self) -> int:
        return 0


#: Done twice, these do no harm.
REPEATABLE: list[Call[Any]] = [
    directory.connected_user(),
    directory.datamart("1"),
    document_imports.find("1"),
    document_imports.get("1", "2"),
    document_imports.update("1", "2", {}),
    document_imports.delete("1", "2"),
    executions.find("1", "2"),
    executions.get("1", "2", "3"),
    executions.cancel("1", "2", "3"),
    data_files.download("mics://data_file/x"),
    authentication.log_in("jeanne@example.com", "secret"),
    authentication.refresh("token"),
    authentication.create_refresh_token("jeanne@example.com", "secret"),
    authentication.revoke_refresh_token("token"),
]
#: These would make a second import, or run a file twice.
ONCE_ONLY: list[Call[Any]] = [
    document_imports.create("1", document_type="USER_PROFILE", name="x"),
    executions.upload("1", "2", mime_type="TEXT_CSV", open_body=Nothing),
]


def api_error(kind: type[MicsAPIError], status: int) -> MicsAPIError:
    return kind(call="x", http_status=status)


#: Errors, whether a repeatable call may be sent again after them, and whether one that may run only once may.
ERRORS: list[tuple[BaseException, bool, bool]] = [
    (MicsTransportError("x", call="x", outcome=Outcome.NOT_SENT), True, True),
    (MicsTransportError("x", call="x", outcome=Outcome.UNKNOWN), True, False),
    (MicsTLSError("x", call="x", outcome=Outcome.NOT_SENT), False, False),
    (api_error(MicsRateLimitError, 429), True, True),
    (api_error(MicsServerError, 500), True, False),
    (api_error(MicsServerError, 503), True, False),
    (MicsReplyError("x", call="x"), True, False),
    (MicsRedirectError("x", call="x"), False, False),
    (api_error(MicsAPIError, 200), False, False),
    (api_error(MicsAPIError, 400), False, False),
    (api_error(MicsAPIError, 413), False, False),
    (api_error(MicsAuthenticationError, 401), False, False),
    (api_error(MicsPermissionError, 403), False, False),
    (api_error(MicsNotFoundError, 404), False, False),
    (MicsConfigurationError("x"), False, False),
    (MicsSourceError("x"), False, False),
    (OSError("x"), False, False),
    (KeyboardInterrupt(), False, False),
]


@pytest.mark.parametrize("call", REPEATABLE, ids=lambda call: call.what)
@pytest.mark.parametrize(("error", "expected", "_"), ERRORS)
def test_what_does_no_harm_twice_is_repeated_after_what_may_pass(
    call: Call[Any], error: BaseException, expected: bool, _: bool
) -> None:
    assert may_repeat(call, error) is expected


@pytest.mark.parametrize("call", ONCE_ONLY, ids=lambda call: call.what)
@pytest.mark.parametrize(("error", "_", "expected"), ERRORS)
def test_what_must_run_once_is_repeated_only_if_it_cannot_have_run(
    call: Call[Any], error: BaseException, _: bool, expected: bool
) -> None:
    assert may_repeat(call, error) is expected


@pytest.mark.parametrize(("attempt", "ceiling"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (5, 8), (7, 30), (100, 30)])
def test_the_delay_is_anything_up_to_a_doubling_ceiling(attempt: int, ceiling: float) -> None:
    rng = random.Random(7)  # noqa: S311
    delays = [delay_before_repeat(attempt, None, rng) for _ in range(500)]
    assert 0 <= min(delays) < ceiling * 0.05
    assert ceiling * 0.95 < max(delays) <= ceiling


@pytest.mark.parametrize("asked", [0.0, 7.0, 900.0])
def test_what_the_server_asked_for_is_the_least_and_still_jittered(asked: float) -> None:
    rng = random.Random(7)  # noqa: S311
    delays = [delay_before_repeat(1, asked, rng) for _ in range(500)]
    assert asked <= min(delays)
    assert asked + 0.4 < max(delays) <= asked + 0.5


def test_without_a_generator_of_its_own_it_is_random_all_the_same() -> None:
    assert len({delay_before_repeat(5, None) for _ in range(20)}) > 1
