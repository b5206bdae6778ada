"""Keeping the sending of parts apart from the search for one that may be in."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gate(Protocol):
    """Keeps apart what must not happen at the same time."""

    def sending(self) -> contextlib.AbstractContextManager[None]:
        """Enter while a part is on its way; others may be too."""

    def searching(self) -> contextlib.AbstractContextManager[None]:
        """Enter while a part is looked for: every execution that others have made is known then."""


class OpenGate:
    """A gate for one delivery at a time."""

    def sending(self) -> contextlib.AbstractContextManager[None]:
        """Enter."""
        return contextlib.nullcontext()

    def searching(self) -> contextlib.AbstractContextManager[None]:
        """Enter."""
        return contextlib.nullcontext()


class SharedGate:
    """Lets any number of threads send, or one search while none sends: it then knows all executions that they made."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._senders = 0
        self._is_searching = False

    @contextlib.contextmanager
    def sending(self) -> Iterator[None]:
        """Enter once nobody searches."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_searching)
            self._senders += 1
        try:
            yield
        finally:
            with self._changed:
                self._senders -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def searching(self) -> Iterator[None]:
        """Enter once nobody sends, nor searches."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_searching)
            self._is_searching = True
            self._changed.wait_for(lambda: not self._senders)
        try:
            yield
        finally:
            with self._changed:
                self._is_searching = False
                self._changed.notify_all()
