"""Replies as the API sends them, made by hand."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_mics.api.call import Call, Reply
from airflow_provider_mics.api.envelope import one, page
from airflow_provider_mics.api.models import Execution, Page

WHAT = "get execution 12 of document import 7"


def reply(body: Any, status: int = 200, **headers: str) -> Reply:
    """Make a reply; a body that is not bytes is written as JSON. Underscores in header names stand for hyphens."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"content-type": "application/json;charset=UTF-8", **named}, body=content)


def get_one() -> Call[Execution]:
    """Make a call that reads one execution."""
    return Call(what=WHAT, method="GET", path="/v1/x", read=one(Execution), repeatable=True)


def get_page() -> Call[Page[Execution]]:
    """Make a call that reads a page of executions."""
    return Call(what=WHAT, method="GET", path="/v1/x", read=page(Execution), repeatable=True)
