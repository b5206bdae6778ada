"""Keeping results apart from what anything else prints."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def results() -> Iterator[TextIO]:
    """Give a stream to what stdout is; what others write to stdout meanwhile goes to stderr.

    Airflow's loggers hold on to the stdout that they found, so it is the file descriptor that is led elsewhere.
    """
    try:
        stdout, stderr = sys.stdout.fileno(), sys.stderr.fileno()
    except (OSError, ValueError):
        # Neither is a file: somebody calls the command in a program.
        yield sys.stdout
        return
    sys.stdout.flush()
    kept = os.dup(stdout)
    os.dup2(stderr, stdout)
    try:
        # Closing the stream closes the descriptor with it.
        with os.fdopen(os.dup(kept), "w", encoding=sys.stdout.encoding) as stream:
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(kept, stdout)
        os.close(kept)


def give_up(stream: TextIO) -> None:
    """Let what is still to be written to a stream go nowhere, as nobody reads it any more."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
