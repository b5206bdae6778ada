"""How commands end, and what gets among their results."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from airflow_provider_mics.cli import plan
from airflow_provider_mics.cli.results import results
from tests.unit.cli.commands import run

if TYPE_CHECKING:
    from collections.abc import Callable


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "error: Interrupted.\n"),
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device", "/there"), 2, "error: No space left on device: /there.\n"),
        (OSError(5, "Input/output error"), 2, "error: Input/output error.\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_happen_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    monkeypatch.setattr(plan, "find_sources", raising(error))
    assert run(capsys, "plan", "a.ndjson") == (code, "", said)


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(plan, "find_sources", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        run(capsys, "plan", "a.ndjson")


def test_what_others_print_is_no_result(capfd: pytest.CaptureFixture[str]) -> None:
    held: Any = sys.stdout

    with results() as stream:
        held.write("log\n")
        held.flush()
        os.write(held.fileno(), b"more log\n")
        print("result", file=stream)
        # Not flushed.
        held.write("last log\n")
    sys.stdout.write("behind\n")

    out, err = capfd.readouterr()
    assert out == "result\nbehind\n"
    assert err == "log\nmore log\nlast log\n"
