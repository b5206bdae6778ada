"""The call of MetaX that takes a line by itself: a subscriber's user stats."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.api import metax
from airflow_provider_mics.bulk.checks.user_stats_rules import SUBSCRIBER_ID, check_user_stats
from airflow_provider_mics.bulk.items.item import ItemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_mics.api.call import Call


def user_stats(base_url: str, *, is_delta: bool) -> ItemKind:
    """Return user stats, each sent by a PUT.

    A line has the vendor's fields and ``subscriber_id``, which goes into the address.

    :param base_url: Of the MetaX that gets them.
    :param is_delta: Whether a line adds to what is known of its subscriber; otherwise it replaces all of it.
    """

    def call(line: Mapping[str, Any]) -> Call[None]:
        stats = {name: value for name, value in line.items() if name != SUBSCRIBER_ID}
        return metax.put_user_stats(str(line[SUBSCRIBER_ID]), stats, is_delta=is_delta)

    return ItemKind(
        noun="user stats",
        # No document type of mediarithmics: the rules below say all.
        document_type="METAX_USER_STATS",
        rules=functools.partial(check_user_stats, is_delta=is_delta),
        call=call,
        identity=(base_url, str(is_delta)),
    )
