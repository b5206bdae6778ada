"""HTTP 404 where it means that there is nothing, not that an id is wrong.

Fact: the API answers 404 for a user without data, and the vendor's web UI shows that as an empty list. It answers the
same where the datamart does not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_mics.api.directory import datamart
from airflow_provider_mics.exceptions import MicsNotFoundError, MicsPermissionError

if TYPE_CHECKING:
    from airflow_provider_mics.api.call import Call
    from airflow_provider_mics.api.conversation import Conversation

T = TypeVar("T")
D = TypeVar("D")


def unless_absent(call: Call[T], absent: D, *, datamart_id: str) -> Conversation[T | D]:
    """Make a call about user data, whose answer 404 is taken for ``absent``, once the datamart is known to exist.

    :raises MicsNotFoundError: There is no such datamart, or something before the API answered.
    """
    try:
        result: T = yield call
    except MicsNotFoundError as error:
        if not error.has_envelope:
            raise
    else:
        return result
    try:
        yield datamart(datamart_id)
    except MicsPermissionError:
        # A token that may reach the datamart's users and not itself: were the id wrong, the first answer would
        # have been this one.
        return absent
    return absent
