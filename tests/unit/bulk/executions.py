"""Executions as the API sends them."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_provider_mics.api.models import Execution


def execution(
    execution_id: int | str = 1,
    status: str = "SUCCEEDED",
    *,
    success: Any = None,
    failure: Any = 0,
    lines: int | None = None,
    message: str | None = None,
    **fields: Any,
) -> Execution:
    result = None if success is None else {"total_success": success, "total_failure": failure}
    parameters = None if lines is None else {"number_of_lines": lines}
    error = None if message is None else {"message": message}
    data = {"id": str(execution_id), "status": status, "result": result, "parameters": parameters, "error": error}
    return msgspec.convert({**data, **fields}, Execution, strict=False)
