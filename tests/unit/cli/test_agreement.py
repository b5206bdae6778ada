"""What the command line calls good is what a load takes, and the other way round."""

from __future__ import annotations

import bz2
import gzip
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.api.constants import MimeType
from airflow_provider_mics.bulk.preflight import check_load
from airflow_provider_mics.cli.checking import Check, FileReport
from airflow_provider_mics.exceptions import MicsInputError
from tests.unit.bulk.memory_file import MemoryFile
from tests.unit.cli.commands import BAD, DELETION, GOOD, HEADER, SEGMENT

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 1000
LINES = [GOOD, DELETION, BAD, b"\n", b"\r\n", b"{", b"\xff\n", b"[1]\n", b"{}{}\n", GOOD.replace(b"Lyon", b"L" * 900)]
RECORDS = [SEGMENT, b"DELETE,crm-1,12,\n", b'UPDATE,"crm\n-2",12,5\n', b"GIVE,crm-1,12,5\n", b"\n", b"a,b\n", b'"']


def report(content: bytes, document_type: str, mime_type: str) -> FileReport:
    return Check(document_type=document_type, mime_type=mime_type, max_part_bytes=LIMIT).report(
        MemoryFile(content, "f")
    )


def refusal(content: bytes, document_type: str, mime_type: str) -> str | None:
    try:
        check_load([MemoryFile(content, "f")], document_type=document_type, mime_type=mime_type, max_part_bytes=LIMIT)
    except MicsInputError as error:
        return str(error)
    return None


def agree(content: bytes, document_type: str, mime_type: str) -> None:
    ours = report(content, document_type, mime_type)
    theirs = refusal(content, document_type, mime_type)
    assert ours.is_good == (theirs is None)
    if theirs is None:
        return
    for problem in ours.problems:
        assert str(problem) in theirs
    if found := re.match(r"(\d+) of (\d+) lines", theirs):
        assert (ours.bad, ours.lines) == tuple(map(int, found.groups()))
    elif ours.error:
        assert ours.error == theirs


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress])
@given(lines=st.lists(st.sampled_from(LINES), max_size=30), mark=st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_of_ndjson(compress: Callable[[bytes], bytes], lines: list[bytes], mark: bytes) -> None:
    agree(compress(mark + b"".join(lines)), "USER_PROFILE", MimeType.NDJSON)


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@given(lines=st.lists(st.sampled_from(RECORDS), max_size=30), header=st.sampled_from([HEADER, b"OPERATION,WHO\n", b""]))
def test_of_csv(compress: Callable[[bytes], bytes], lines: list[bytes], header: bytes) -> None:
    agree(compress(header + b"".join(lines)), "USER_SEGMENT", MimeType.CSV)
