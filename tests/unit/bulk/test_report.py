"""Error files of forms that we can think of, and where their lines are in the source."""

from __future__ import annotations

import codecs
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_mics.api.models import DocumentImport
from airflow_provider_mics.bulk import report as report_module
from airflow_provider_mics.bulk.report import Report, raw_path, text_path, write_report
from airflow_provider_mics.bulk.report_error_file import ErrorFileError, RejectedLine, read_error_file
from airflow_provider_mics.bulk.sent_part import SentPart
from airflow_provider_mics.exceptions import MicsSourceError
from tests.unit.bulk.executions import execution
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_mics.bulk.files import SourceFile

ID = "9d5016ea-6b7b-4c64-bc74-60ba207e3bed"
ID_2 = "1d5016ea-6b7b-4c64-bc74-60ba207e3bed"


def read(text: str | bytes, lines: int | None = 10) -> list[RejectedLine]:
    return list(read_error_file(text if isinstance(text, bytes) else text.encode(), lines))


TWO = [RejectedLine(3, ID, "No such profile"), RejectedLine(7, ID_2, "No such segment, or none")]


@pytest.mark.parametrize(
    "text",
    [
        f'line_number,error_id,message\n3,{ID},No such profile\n7,{ID_2},"No such segment, or none"\n',
        f'Error ID;Line;Reason\r\n{ID};3;No such profile\r\n{ID_2};7;"No such segment, or none"\r\n',
        f"ROW\tERROR_MESSAGE\tUUID\n3\tNo such profile\t{ID}\n7\tNo such segment, or none\t{ID_2}",
        f'3,{ID},No such profile\n7,{ID_2},"No such segment, or none"\n',
        f"No such profile|3|{ID}\n\n  \nNo such segment, or none|7|{ID_2}\n",
        f"line;message\n3;No such profile Error id = {ID}.\n7;No such segment, or none Error id = {ID_2}.\n",
        codecs.BOM_UTF8 + f"line;message;error_id\n3;No such profile;{ID}\n7;No such segment, or none;{ID_2}".encode(),
        f"line;message;error_id\n3;No such profile;{ID}\n7;No such segment, or none;{ID_2}\n".encode("utf-16"),
    ],
)
def test_columns_are_found_by_name_or_content(text: str | bytes) -> None:
    assert read(text) == TWO


def test_one_column_of_texts() -> None:
    assert read(f"No such profile, sorry Error id = {ID}.\nNo such segment\n") == [
        RejectedLine(None, ID, "No such profile, sorry"),
        RejectedLine(None, None, "No such segment"),
    ]


def test_what_is_not_known_is_kept() -> None:
    (line,) = read('line,message,colour,\nx,No such profile,red,"more"\n')

    assert line == RejectedLine(None, None, "No such profile", {"line": "x", "colour": "red", "column 4": "more"})


@pytest.mark.parametrize("numbers", [(7, 3), (3, 3), (3, 99)])
def test_a_nameless_column_is_not_taken_for_line_numbers_if_it_cannot_be(numbers: tuple[int, int]) -> None:
    text = "".join(f"{number};No such profile\n" for number in numbers)

    assert [line.number for line in read(text)] == [None, None]
    assert [line.other for line in read(text)] == [{"column 1": str(number)} for number in numbers]


@pytest.mark.parametrize("content", [b"", b"\n\n", codecs.BOM_UTF8, b"line_number,error_id,message\n"])
def test_nothing_in_it(content: bytes) -> None:
    assert read(content) == []


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 20, b"<html>no, <b>gateway</b></html>", b'"a\nb', b"\0,\0\n1,2"]
)
def test_anything_may_come(content: bytes) -> None:
    assert len(read(content)) < 200


def test_a_quote_that_is_never_closed() -> None:
    text = 'line,message\n1,No such profile\n2,"No ' + "x" * 200_000

    lines = read_error_file(text.encode(), 10)

    with pytest.raises(ErrorFileError):
        list(lines)


class Written:
    """A report's files in memory."""

    def __init__(self, error_files: Mapping[str, bytes], sources: Sequence[SourceFile] = ()) -> None:
        self.files: dict[str, bytes] = {}
        self.sources = sources
        self.report = Report(
            path="r.json", download=error_files.__getitem__, open_for_writing=self._open, find_files=self._find
        )

    def write(self, *executions: Any, parts: Sequence[SentPart] = (), mime_type: str = "APPLICATION_X_NDJSON") -> Any:
        document_import = DocumentImport(id="7", name="Night", document_type="USER_SEGMENT", mime_type=mime_type)
        write_report(self.report, document_import, executions, parts)
        return json.loads(self.files["r.json"])

    def _find(self, name: str) -> list[SourceFile]:
        found = [file for file in self.sources if file.name == name]
        if not found:
            raise MicsSourceError(f"{name} does not exist.")
        return found

    def _open(self, path: str) -> Any:
        written = self.files

        class File(io.BytesIO):
            def close(self) -> None:
                written[path] = self.getvalue()
                super().close()

        return File()


def failed(execution_id: str, failures: int, **fields: Any) -> Any:
    result = {"total_success": 1, "total_failure": failures, "error_file_uri": execution_id}
    return execution(execution_id, **{"result": result, **fields})


def sent(file: SourceFile, execution_id: str, number: int, lines: int, *ranges: tuple[int, int]) -> SentPart:
    return SentPart(
        execution_id=execution_id,
        file=file.name,
        number=number,
        lines=lines,
        bytes=sum(length for _, length in ranges),
        ranges=ranges,
        version=file.version,
    )


def test_paths() -> None:
    assert (text_path("a/r.json"), text_path("s3://b/r")) == ("a/r.txt", "s3://b/r.txt")
    assert raw_path("r.json", "../1") == "r.json.d/___1_errors.csv"


@pytest.mark.parametrize(("number", "line"), [(2, 5), (3, 6), (4, None), (99, None)])
def test_lines_of_a_csv_part_with_its_header_repeated(number: int, line: int | None) -> None:
    # Lines 1 to 6; the second part has the header, and lines 5 and 6, of which the last has no end.
    source = MemoryFile(b"id,x\n1,a\n2,b\n3,c\n4,d\n5,e")
    parts = [sent(source, "1", 1, 3, (0, 17)), sent(source, "2", 2, 2, (0, 5), (17, 7))]
    written = Written({"2": f"line_number,message\n{number},Bad one\n".encode()}, [source])

    report = written.write(failed("2", 1), parts=parts, mime_type="TEXT_CSV")

    (rejected,) = report["rejected_lines"]
    assert (rejected["source_line"], rejected["source_position"]) == (line, line and line - 1)
    part = report["executions"][0]["part"]
    assert (part["first_byte"], part["last_byte"]) == (17, 23)


@pytest.mark.parametrize(("mime_type", "numbers"), [("APPLICATION_X_NDJSON", (0, 2)), ("TEXT_CSV", (1, 2))])
def test_numbers_that_show_to_count_otherwise(mime_type: str, numbers: tuple[int, int]) -> None:
    source = MemoryFile(b"1\n2\n3\n")
    lines = 3 if mime_type == "APPLICATION_X_NDJSON" else 2
    text = "line_number,message\n" + "".join(f"{number},Bad one\n" for number in numbers)
    written = Written({"1": text.encode()}, [source])

    report = written.write(failed("1", 2), parts=[sent(source, "1", 1, lines, (0, 6))], mime_type=mime_type)

    first = 1 if mime_type == "APPLICATION_X_NDJSON" else 2
    assert [line["source_line"] for line in report["rejected_lines"]] == [first, 3]
    assert "taken to count" in report["notes"][0]


def test_line_ends_in_quotes_leave_numbers_unknown() -> None:
    source = MemoryFile(b'id,x\n1,"a\nb"\n2,c\n')
    written = Written({"1": b"line_number,message\n4,Bad one\n"}, [source])

    report = written.write(failed("1", 1), parts=[sent(source, "1", 1, 2, (0, 17))], mime_type="TEXT_CSV")

    assert report["rejected_lines"][0]["source_line"] is None
    assert "line ends in quotes" in report["notes"][0]


def test_a_source_that_is_not_here() -> None:
    source = MemoryFile(b"1\n2\n")
    written = Written({"1": b"line_number,message\n2,Bad one\n"})

    report = written.write(failed("1", 1), parts=[sent(source, "1", 1, 2, (0, 4))])

    (line,) = report["rejected_lines"]
    assert (line["source"], line["line"], line["source_line"], line["source_position"]) == (source.name, 2, None, 2)
    assert "does not exist" in report["notes"][0]


def test_the_text_holds_nothing_of_the_lines() -> None:
    error_file = b"line_number,message,content\n2,Unknown segment 9001 for jeanne@example.org,Jeanne\n"
    written = Written({"1": error_file})

    report = written.write(failed("1", 1, error={"message": "0 success, 1 failures"}))

    assert report["rejected_lines"][0]["message"] == "Unknown segment 9001 for jeanne@example.org"
    assert report["rejected_lines"][0]["other"] == {"content": "Jeanne"}
    assert written.files["r.json.d/1_errors.csv"] == error_file
    text = written.files["r.txt"].decode()
    assert "1 x Unknown segment <n> for <email>" in text
    assert "eanne" not in text


def test_messages_are_found_by_their_ids() -> None:
    message = f"1 success, 1 failures\nSaved errors:\nNo such profile Error id = {ID}.\n"
    written = Written({"1": f"line_number,error_id\n2,{ID}\n".encode()})

    report = written.write(failed("1", 1, error={"message": message}))

    assert [line["message"] for line in report["rejected_lines"]] == ["No such profile"]
    assert report["reasons"] == [{"text": "No such profile", "count": 1, "error_id": ID}]
    assert report["notes"] == []


def test_lines_that_no_one_lists_are_said() -> None:
    report = Written({"1": b"line_number,message\n2,Bad one\n"}).write(failed("1", 5))

    assert report["notes"] == ["Execution 1: 5 lines were rejected; its error file lists 1."]


def test_a_long_list_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MAX_LISTED", 3)
    error_file = b"line_number,message\n" + b"".join(b"%d,Bad one\n" % number for number in range(1, 11))

    report = Written({"1": error_file}).write(failed("1", 10))

    assert len(report["rejected_lines"]) == 3
    assert report["reasons"][0]["count"] == 10
    assert report["notes"] == ["3 rejected lines are listed; 7 more are in the error files and the reasons only."]


def test_an_error_file_that_is_too_large_is_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MAX_ERROR_FILE_BYTES", 40)

    report = Written({"1": b"line_number,message\n" + b"1,Bad one\n" * 10}).write(failed("1", 10))

    assert len(report["rejected_lines"]) == 2
    assert "only the first 40 bytes" in report["notes"][0]


def test_executions_without_rejections_are_in_it_too() -> None:
    written = Written({"1": b"line_number,message\n2,Bad one\n"})

    report = written.write(failed("1", 1), execution("2", success=5), execution("3", "FAILED", message="Disk x1 full"))

    assert [item["status"] for item in report["executions"]] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
    assert report["executions"][2]["error"] == "Disk x1 full"
    text = written.files["r.txt"].decode()
    assert "3 FAILED" in text
    assert "  2 SUCCEEDED" not in text
