from __future__ import annotations

import bz2
import gzip
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_mics.bulk import compressed
from airflow_provider_mics.bulk.compressed import compression_of, decompressed, plain_name
from airflow_provider_mics.exceptions import MicsInputError, MicsSourceError
from tests.unit.bulk.memory_file import MemoryFile

if TYPE_CHECKING:
    from collections.abc import Callable

KINDS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
LINES = b"".join(b'{"n":%d}\n' % number for number in range(50_000))


def read(file: MemoryFile) -> bytes:
    kind = compression_of(file)
    assert kind
    return b"".join(decompressed(file, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_gives_what_is_in_it(kind: str) -> None:
    assert read(MemoryFile(KINDS[kind](LINES))) == LINES


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=st.lists(st.binary(max_size=200), min_size=1, max_size=5))
def test_gives_what_is_in_all_of_its_members(kind: str, pieces: list[bytes]) -> None:
    assert read(MemoryFile(b"".join(KINDS[kind](piece) for piece in pieces))) == b"".join(pieces)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [0.2, 0.9, 0.9999])
def test_a_file_that_is_broken_off_is_an_error(kind: str, left: float) -> None:
    whole = KINDS[kind](LINES)

    with pytest.raises(MicsInputError, match="is broken off"):
        read(MemoryFile(whole[: int(len(whole) * left)]))


@pytest.mark.parametrize("kind", ["gzip", "bzip2"])
def test_a_damaged_file_is_an_error(kind: str) -> None:
    whole = bytearray(KINDS[kind](LINES))
    whole[len(whole) // 2] ^= 0xFF

    with pytest.raises(MicsInputError, match=r"is damaged|is broken off"):
        read(MemoryFile(bytes(whole)))


def test_zeros_behind_gzip_are_passed_over() -> None:
    assert read(MemoryFile(gzip.compress(LINES) + b"\0" * 512)) == LINES


@pytest.mark.parametrize("kind", KINDS)
def test_a_bomb_is_not_read_on(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "_FREE_BYTES", 1_000_000)
    blocks: list[int] = []
    bomb = MemoryFile(KINDS[kind](b"\n" * 300_000_000))

    with pytest.raises(MicsInputError, match="more than 200 times its size"):
        blocks.extend(len(block) for block in decompressed(bomb, kind))

    assert sum(blocks) < 100_000_000


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("a.ndjson", gzip.compress(b""), "gzip"), ("a.gz", b"", None), ("a", b"{}\n", None), ("a", b"BZ", None)],
)
def test_the_content_decides(name: str, content: bytes, kind: str | None) -> None:
    assert compression_of(MemoryFile(content, name)) == kind


def test_a_name_that_lies_is_an_error() -> None:
    with pytest.raises(MicsInputError, match=r"a\.ndjson\.gz ends in \.gz, but it is not compressed with gzip"):
        compression_of(MemoryFile(b"{}\n", "a.ndjson.gz"))


@pytest.mark.parametrize(("name", "plain"), [("a.csv.gz", "a.csv"), ("a.csv.ZST", "a.csv"), ("a.csv", "a.csv")])
def test_the_name_of_what_is_in_it(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_a_file_that_changes_meanwhile_is_an_error() -> None:
    file = MemoryFile(gzip.compress(LINES))
    blocks = decompressed(file, "gzip")
    next(blocks)
    file.content = b"other"

    with pytest.raises(MicsSourceError, match="changed"):
        list(blocks)
