"""Which failures Airflow shall retry. Airflow 3.3 and later ask; earlier ones retry every failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import RetryDecision, RetryPolicy

from airflow_provider_mics.exceptions import MicsError

if TYPE_CHECKING:
    from airflow.sdk import Context


class MicsRetryPolicy(RetryPolicy):
    """Fails a task at once where another try cannot help: wrong token, bad file, rejected lines.

    Every operator of this provider has it unless it is given another ``retry_policy``. The task's ``retries`` bound
    everything else as usual.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002 - the same
        context: Context | None = None,  # noqa: ARG002 - the same
    ) -> RetryDecision:
        """Decide by the error's ``retryable``."""
        if isinstance(exception, MicsError) and not exception.retryable:
            return RetryDecision.fail(reason=f"{type(exception).__name__}: another try would fail in the same way")
        return RetryDecision.default()

    def serialize(self) -> dict[str, Any]:
        """Return its state, of which it has none."""
        return {}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> MicsRetryPolicy:  # noqa: ARG003 - Airflow's signature
        """Make it anew."""
        return cls()
