"""How every command ends: an exit code, and an error in words instead of a traceback."""

from __future__ import annotations

import functools
import os
import sys
from typing import TYPE_CHECKING, Final

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
        # What object stores log must not get among the results.
        screen = Screen(is_json=args.json)
        screen.log_to_stderr()
        sys.exit(_exit_code(body, args, screen))

    return run


def _exit_code(body: Callable[[argparse.Namespace, Screen], int], args: argparse.Namespace, screen: Screen) -> int:
    try:
        code = body(args, screen)
        sys.stdout.flush()
    except MicsError as error:
        screen.error(str(error))
        return BAD if isinstance(error, MicsInputError) else FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough, such as head. Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        screen.error(f"{error.strerror or type(error).__name__}{f': {error.filename}' if error.filename else ''}.")
        return FAILED
    except KeyboardInterrupt:
        screen.error("Interrupted.")
        return _INTERRUPTED
    return code
