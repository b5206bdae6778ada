from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_mics.bulk.files import LocalFile, local_files
from airflow_provider_mics.exceptions import MicsSourceError


def write(path: Path, content: str = "{}\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_pattern_gives_its_files_by_name(tmp_path: Path) -> None:
    for name in ("b-2.ndjson", "b-1.ndjson", "a.csv"):
        write(tmp_path / name)
    write(tmp_path / "b-dir.ndjson" / "inner.ndjson")

    found = local_files([f"{tmp_path}/b-*.ndjson"])

    assert [Path(file.name).name for file in found] == ["b-1.ndjson", "b-2.ndjson"]
    assert [Path(file.name).name for file in local_files([f"{tmp_path}/**/*.ndjson"])] == [
        "b-1.ndjson",
        "b-2.ndjson",
        "inner.ndjson",
    ]


def test_a_relative_pattern_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "in" / "a.ndjson")
    monkeypatch.chdir(tmp_path)

    assert [file.name for file in local_files(["in/*.ndjson"])] == ["in/a.ndjson"]


def test_a_pattern_may_match_nothing(tmp_path: Path) -> None:
    assert local_files([f"{tmp_path}/*.ndjson"]) == []


def test_a_file_whose_name_has_a_bracket_is_that_file(tmp_path: Path) -> None:
    path = write(tmp_path / "export[1].ndjson")

    assert [file.name for file in local_files([str(path)])] == [str(path)]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MicsSourceError, match=r"gone\.ndjson does not exist\. Check the path"):
        local_files([f"{tmp_path}/gone.ndjson"])


def test_a_directory_is_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(MicsSourceError, match=r"is a directory\. Name its files.*\*\.ndjson"):
        local_files([str(tmp_path)])


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(MicsSourceError, match="not a regular file"):
        local_files([f"{tmp_path}/pipe"])


def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "secret.ndjson")
    path.chmod(0)
    tmp_path.chmod(0o755)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from airflow_provider_mics.bulk.files import LocalFile\n"
        "from airflow_provider_mics.exceptions import MicsSourceError\n"
        "if os.geteuid() == 0: os.setegid(65534); os.seteuid(65534)\n"
        "try: LocalFile(Path(sys.argv[1]))\n"
        "except MicsSourceError as error: print(error)\n"
    )
    # Root reads everything, and the folders above pytest's are closed to others: the file is moved to where it shows.
    visible = Path("/tmp") / f"mics-unreadable-{os.getpid()}.ndjson"  # noqa: S108
    path.rename(visible)
    try:
        said = subprocess.run([sys.executable, "-c", script, str(visible)], capture_output=True, text=True, check=True)  # noqa: S603
    finally:
        visible.unlink()

    assert said.stdout.strip() == f"{visible} cannot be read: Permission denied."


def test_a_change_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson")
    file = LocalFile(path)
    file.check_unchanged()

    path.write_text("{}\n{}\n")

    with pytest.raises(MicsSourceError, match="changed"):
        file.check_unchanged()


def test_a_replacement_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson")
    file = LocalFile(path)

    write(tmp_path / "new", "[]\n").replace(path)

    with pytest.raises(MicsSourceError, match="changed"):
        file.check_unchanged()


def test_a_file_that_goes_away_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ndjson")
    file = LocalFile(path)
    path.unlink()

    for attempt in (file.check_unchanged, file.open, lambda: file.read_range(0, 1)):
        with pytest.raises(MicsSourceError, match="cannot be read: No such file"):
            attempt()
