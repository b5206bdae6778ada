"""Keeps the addresses of our calls, which may name people, out of what the HTTP library below logs."""

from __future__ import annotations

import contextlib
import contextvars
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ours: contextvars.ContextVar[bool] = contextvars.ContextVar("ours", default=False)


class _NothingOfOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's signature
        return not _ours.get()


# urllib3 logs the path and query of each request at DEBUG, and in warnings about replies that it finds odd.
for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_NothingOfOurs())


@contextlib.contextmanager
def unlogged() -> Iterator[None]:
    """Let urllib3 log nothing of what this thread does; what others do with it is logged as ever."""
    before = _ours.set(True)
    try:
        yield
    finally:
        _ours.reset(before)
