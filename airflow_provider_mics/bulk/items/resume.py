"""What a try does with what earlier ones have left: go on, start over, or refuse."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_mics.bulk.items.progress import Progress
from airflow_provider_mics.exceptions import MicsInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


def begin(
    stored: Mapping[str, Any] | None,
    *,
    source: str,
    generation: int,
    is_blind_retry: bool,
) -> Progress:
    """Return the progress to go on from.

    A clear begins a new run of the task. Only where the run before was not finished, and items of it may be in that
    count twice if they are sent twice, is it gone on with: what is in stays in.

    :param stored: What an earlier try has left, if any.
    :param source: Fingerprint of the source.
    :param generation: Differs between before and after a clear.
    :param is_blind_retry: There was a try before, and it could leave nothing.
    :raises MicsInputError: The source is not the one that an earlier try has sent a part of.
    """
    fresh = Progress(source, generation)
    if is_blind_retry:
        log.warning(
            "Nothing is known of what an earlier try has sent; Airflow remembers that from 3.3 on. Only what may be "
            "sent twice is sent"
        )
        fresh.assume_all_announced()
        return fresh
    before = Progress.of_json(stored)
    if before is None:
        return fresh
    if before.source != source:
        if before.generation == generation and before.counts_twice and not before.is_complete:
            raise MicsInputError(
                f"What is to be sent is not what it was in the try before, of which {before.accepted} items are in and "
                "others may be: nothing more was sent.",
                hint="Bring the source back as it was, or clear the task to send all of the new one.",
            )
        if before.counts_twice:
            log.warning("What is sent is not what this task has sent before: all of it is sent, whatever is in already")
        return fresh
    if before.generation == generation:
        if before.accepted:
            log.info("An earlier try has brought in %d items; going on from there", before.accepted)
        return before
    if not before.counts_twice:
        return fresh
    if before.is_complete:
        log.warning("The task was cleared after all of this was sent: all of it is sent again, and counts again")
        return fresh
    log.warning(
        "The task was cleared, but %d items of it are in already, and are not sent again: they would count twice",
        before.accepted,
    )
    before.generation = generation
    return before
