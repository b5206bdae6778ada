"""How every command ends: an exit code, and an error in words instead of a traceback."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.cli.results import give_up, results
from airflow_provider_mics.cli.screen import Screen
from airflow_provider_mics.exceptions import MicsError, MicsInputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

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
            code = _exit_code(body, args, Screen(stream, is_json=args.json))
        sys.exit(code)

    return run


def _exit_code(body: Callable[[argparse.Namespace, Screen], int], args: argparse.Namespace, screen: Screen) -> int:
    try:
        code = body(args, screen)
        screen.results.flush()
    except MicsError as error:
        screen.error(str(error))
        return BAD if isinstance(error, MicsInputError) else FAILED
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
