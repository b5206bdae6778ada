"""Lines that are put aside stop nothing, so a part is sent while those behind it are still to be checked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.bulk import preflight
from airflow_provider_mics.exceptions import MicsInputError, MicsUploadError
from airflow_provider_mics.operators.import_files import MicsImportFilesOperator
from tests.contract.faces.conftest import TaskStateStore, profile
from tests.contract.faces.test_adoption import activity, in_the_platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_mics.bulk.parts import Part
    from airflow_provider_mics.sandbox import Sandbox
    from tests.contract.faces.conftest import Night

BAD = b'{"operation":"UPSERT"}'


def load(night: Night, *paths: str, document_type: str = "USER_PROFILE", **arguments: Any) -> Any:
    how: dict[str, Any] = {
        "preflight": "dead_letter",
        "dead_letter_path": str(night.folder / "bad.ndjson"),
        "max_part_bytes": 1000,
        "parallel_uploads": 1,
        "poke_interval": 0.01,
        **arguments,
    }
    return MicsImportFilesOperator(
        task_id="load", document_type=document_type, name="Night", path=list(paths), **how
    ).execute(night.context)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> list[int]:
    """Return how many uploads had come in when each part was cut."""
    seen: list[int] = []
    plainly = preflight.cut_while_checked

    def watched(*args: Any, **kwargs: Any) -> Iterator[Part]:
        for part in plainly(*args, **kwargs):
            seen.append(len(sandbox.uploads))
            yield part

    monkeypatch.setattr(preflight, "cut_while_checked", watched)
    return seen


def test_a_part_is_sent_before_the_last_is_checked(sandbox: Sandbox, night: Night, cut: list[int]) -> None:
    lines = [BAD if number % 5 == 2 else profile(number) for number in range(100)]

    summary = load(night, night.file("a.ndjson", *lines))

    assert (summary["accepted"], summary["lines"], summary["dead_letter"]["lines"]) == (80, 100, 20)
    assert sorted(in_the_platform(sandbox)) == sorted(line for line in lines if line != BAD)
    # While a part is under way, the next one is made ready, and no other.
    assert len(cut) == summary["parts"] > 10
    assert all(index - 2 <= sent <= index for index, sent in enumerate(cut))
    assert cut[-1] >= len(cut) - 2


@pytest.mark.parametrize("arguments", [{"preflight": "fail", "dead_letter_path": None}, {"max_deletions": 5}])
def test_nothing_is_sent_before_the_last_is_checked_where_a_line_may_stop_the_load(
    night: Night, cut: list[int], arguments: dict[str, Any]
) -> None:
    summary = load(night, night.file("a.ndjson", *[profile(number) for number in range(50)]), **arguments)

    assert len(cut) == summary["parts"] > 5
    assert set(cut) == {0}


def test_the_header_of_the_last_file_is_looked_at_before_the_first_is_sent(sandbox: Sandbox, night: Night) -> None:
    good = night.file("a.csv", b"OPERATION,USER_ACCOUNT_ID,SEGMENT_ID,EXPIRATION_DURATION", b"UPDATE,crm-1,12,0")
    bad = night.file("b.csv", b"OPERATION,NAME", b"UPDATE,crm-1")

    with pytest.raises(MicsInputError, match="A CSV header is wrong"):
        load(night, good, bad, document_type="USER_SEGMENT", mime_type="TEXT_CSV")

    assert not sandbox.uploads


def test_a_retry_puts_the_same_lines_aside_and_sends_what_is_missing(sandbox: Sandbox, night: Night) -> None:
    night.store = TaskStateStore()
    lines = [BAD if number % 5 == 2 else activity(number) for number in range(60)]
    path, aside = night.file("a.ndjson", *lines), night.folder / "bad.ndjson"
    sandbox.faults.plan("status", status=400, kind="create_execution", after=3, when="after_body")

    with pytest.raises(MicsUploadError, match="parts are in"):
        load(night, path, document_type="USER_ACTIVITY")

    # What was put aside of the lines around those that are in is written.
    sent_before = len(in_the_platform(sandbox))
    assert 0 < sent_before < 48
    assert len(aside.read_text().splitlines()) >= sent_before // 4 - 1
    night.retry()

    summary = load(night, path, document_type="USER_ACTIVITY")

    assert (summary["accepted"], summary["lines"]) == (48, 60)
    assert sorted(in_the_platform(sandbox)) == sorted(line for line in lines if line != BAD)
    assert [json.loads(line)["line"] for line in aside.read_text().splitlines()] == list(range(3, 61, 5))
