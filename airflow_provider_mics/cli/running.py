"""How every command ends: an exit code, and an error in words instead of a traceback."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import sys
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.cli.results import give_up, results
from airflow_provider_mics.cli.screen import Screen
from airflow_provider_mics.exceptions import MicsError, MicsInputError, MicsLoadError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

OK: Final = 0
#: What was asked for was done, and what it found is bad.
BAD: Final = 1
#: It could not be done: arguments, missing files, configuration.
FAILED: Final = 2
#: As shells have it: 128 and the number of the signal.
_INTERRUPTED: Final = 130
_BROKEN_PIPE: Final = 141


def command(body: Callable[[argparse.Namespace, Screen], int]) -> Callable[[argparse.Namespace], None]:
    """Make a command of a function that returns an exit code."""

    @functools.wraps(body)
    def run(args: argparse.Namespace) -> None:
        with results() as stream:
            # Not every command has the short form.
            screen = Screen(stream, output="json" if getattr(args, "json", False) else args.output)
            with _logs_told_on(screen), _connections_of_the_database():
                code = _exit_code(body, args, screen)
        sys.exit(code)

    return run


def _exit_code(body: Callable[[argparse.Namespace, Screen], int], args: argparse.Namespace, screen: Screen) -> int:
    try:
        code = body(args, screen)
        screen.results.flush()
    except MicsError as error:
        screen.error(str(error))
        return BAD if isinstance(error, MicsInputError | MicsLoadError) else FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough, such as head.
        give_up(screen.results)
        return _BROKEN_PIPE
    except OSError as error:
        screen.error(f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}.")
        return FAILED
    except KeyboardInterrupt:
        screen.error("Interrupted.")
        return _INTERRUPTED
    return code


@contextlib.contextmanager
def _logs_told_on(screen: Screen) -> Iterator[None]:
    """Tell what this provider logs in plain words, instead of as Airflow's log."""
    logger = logging.getLogger("airflow_provider_mics")
    before = logger.handlers, logger.propagate, logger.level
    # Airflow warns that something in a connection is too short to be masked: the datamart's id, which is no secret.
    maskers = [logging.getLogger(f"{package}._shared.secrets_masker") for package in ("airflow", "airflow.sdk")]
    levels = [masker.level for masker in maskers]
    logger.handlers, logger.propagate = [_Teller(screen)], False
    # On a terminal a bar tells how it goes.
    logger.setLevel(logging.WARNING if screen.is_pretty else logging.INFO)
    for masker in maskers:
        masker.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.handlers, logger.propagate = before[:2]
        logger.setLevel(before[2])
        for masker, level in zip(maskers, levels, strict=True):
            masker.setLevel(level)


class _Teller(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        tell = self._screen.warning if record.levelno >= logging.WARNING else self._screen.note
        tell(record.getMessage())


@contextlib.contextmanager
def _connections_of_the_database() -> Iterator[None]:
    """Let Airflow look into its database too for connections, behind the environment and secrets backends.

    Only tasks and servers do, unless they say that they are one; Airflow's own ``connections test`` says so in this way
    (3.3.2, ``airflow/cli/commands/connection_command.py``).
    """
    name = "_AIRFLOW_PROCESS_CONTEXT"
    before = os.environ.get(name)
    os.environ[name] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
