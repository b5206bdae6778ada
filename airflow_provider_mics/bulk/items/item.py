"""One line that is sent by itself, and what is known of how."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.bulk.checks.findings import Finding
    from airflow_provider_mics.exceptions import MicsError


class Item(NamedTuple):
    """A line that is sent by itself.

    :param number: From 0, over all files of a source; blank lines have none.
    :param file: The file it is of, as messages name it.
    :param line: Number of its line in the file, from 1.
    :param offset: Bytes before it in what the file holds.
    :param content: The line, with its line end.
    """

    number: int
    file: str
    line: int
    offset: int
    content: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ItemKind:
    """What items are, and which call sends one.

    :param noun: What they are called in messages, in the plural.
    :param document_type: Lines are checked by the rules of this document type, those of a type that is new to us only
        as JSON objects.
    :param rules: What else is wrong with a line's object; nothing: it can be sent.
    :param call: Makes the call. Its ``repeatable`` says whether sending it twice does no harm.
    :param identity: Where and how they are sent; the same items sent otherwise are others.
    :param bulk_hint: How to send many of them better, a sentence; None: there is no better way.
    :param is_done: Whether a call that failed so has nothing to do any more, which is as good as done.
    """

    noun: str
    document_type: str
    rules: Callable[[Mapping[str, Any]], Iterator[Finding]]
    call: Callable[[Mapping[str, Any]], Call[Any]]
    identity: tuple[str, ...]
    bulk_hint: str | None = None
    is_done: Callable[[MicsError], bool] = lambda _: False
