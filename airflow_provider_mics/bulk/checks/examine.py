"""The slow look at one NDJSON line: what is wrong with it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from airflow_provider_mics.bulk.checks.findings import Finding
from airflow_provider_mics.bulk.checks.json_text import TOO_DEEP, read_object, why_not_an_object
from airflow_provider_mics.bulk.checks.quick import decode_object

if TYPE_CHECKING:
    from airflow_provider_mics.bulk.checks.document_rules import DocumentRules

_TWICE: Final = Finding(None, "a property is there twice", "Keep one of the two: which of them counts is not sure.")


class Examination(NamedTuple):
    """What a line is.

    :param findings: What is wrong; nothing: it is good.
    :param deletes: It deletes something.
    """

    findings: list[Finding]
    deletes: bool


def examine(line: bytes, rules: DocumentRules) -> Examination:
    """Look at a line that is not blank.

    A property that is there twice is said only of a line that is bad anyway, as it may be why; a good line may have
    one: looking for them would take longer than all the rest, and JSON allows them.
    """
    try:
        decode_object(line)
        line.decode()
    except RecursionError:
        return Examination([TOO_DEEP], deletes=False)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Examination([why_not_an_object(line)], deletes=False)
    root, has_twice = read_object(line)
    findings = list(rules.check(root))
    if findings and has_twice:
        findings.append(_TWICE)
    return Examination(findings, rules.is_deletion(root))
