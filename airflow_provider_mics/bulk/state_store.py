"""Where a task keeps what its next try must know: small JSON values by key."""

from __future__ import annotations

from typing import Any, Protocol


class StateStore(Protocol):
    """Keeps JSON values beyond the end of a process.

    A value written is there when the call returns; each key is read and written by itself.
    """

    @property
    def survives(self) -> bool:
        """Whether what is written is there in the task's next try."""

    def get(self, key: str) -> Any:
        """Return a value, or None.

        :raises MicsStateError: It cannot be read.
        """

    def set(self, key: str, value: Any) -> None:
        """Write a value, of less than 64 KB, which is not None.

        :raises MicsStateError: It cannot be written.
        """


class MemoryStore:
    """Keeps values as long as the process lives: for Airflow without a state store."""

    survives = False

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """Return a value, or None."""
        return self._values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Write a value."""
        self._values[key] = value
