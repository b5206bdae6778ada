"""What is found out before there is a document import: a load that sends nothing leaves none behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import Night
from tests.contract.rows.test_decorator import run

if TYPE_CHECKING:
    from airflow_provider_mics.sandbox import Sandbox


def load(night: Night, path: Any, **arguments: Any) -> Any:
    how = {"document_type": "USER_PROFILE", "name": "Night", "poke_interval": 0.01, **arguments}
    return MicsImportFilesOperator(task_id="load", path=path, **how).execute(night.context)


@pytest.mark.parametrize("source", ["files", "rows"])
def test_deletions_that_are_not_meant(sandbox: Sandbox, night: Night, source: str) -> None:
    line = b'{"type":"USER_ACCOUNT","user_account_id":"crm-1"}'

    with pytest.raises(MicsConfigurationError, match="Every line of USER_POINTS_DELETION erases something for good"):
        if source == "files":
            load(night, night.file("a.ndjson", line), document_type="USER_POINTS_DELETION")
        else:
            run(night, lambda: [{}], document_type="USER_POINTS_DELETION")

    assert not sandbox.requests
