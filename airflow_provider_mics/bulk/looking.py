"""One look at many executions of a document import, in as few calls as it takes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from airflow_provider_mics.api import executions
from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from airflow_provider_mics.api.conversation import Conversation
    from airflow_provider_mics.api.models import Execution, Page

#: Elements of a list that cost as much as a call of their own. Measured: a page of 50 costs the caller as much as two
#: to three calls for one, a page of 100 as much as four.
_ELEMENTS_PER_CALL: Final = 33


@dataclasses.dataclass(slots=True)
class Listing:
    """Reads executions from the list, newest first, as long as that is cheaper than asking for each by its id.

    What it learns from one look holds for the next: executions only move further down the list.
    """

    #: So many wanted executions are too few for the list to pay.
    _too_few: int = 1 + DEFAULT_PAGE_SIZE // _ELEMENTS_PER_CALL

    def read(
        self, datamart_id: str, document_import_id: str, wanted: AbstractSet[str] | None
    ) -> Conversation[dict[str, Execution]]:
        """Return the executions found; those that are missing are to be asked for by their ids.

        :param wanted: None: all of the import.
        """
        found: dict[str, Execution] = {}
        if wanted is not None and len(wanted) <= self._too_few:
            return found
        size = MAX_PAGE_SIZE if wanted is None else min(max(len(wanted), DEFAULT_PAGE_SIZE), MAX_PAGE_SIZE)
        offset, pages = 0, 0
        while True:
            page: Page[Execution] = yield executions.find(
                datamart_id, document_import_id, first_result=offset, max_results=size
            )
            offset += len(page.items)
            pages += 1
            found.update(
                (item.execution_id, item) for item in page.items if wanted is None or item.execution_id in wanted
            )
            if _is_last(page, offset, size):
                break
            if wanted is None:
                continue
            missing = len(wanted) - len(found)
            # Never more for the list than all of them would have cost one by one.
            if not missing or _cost(pages + 1, size) > max(missing, len(wanted) - _cost(1, size)):
                break
        if wanted is not None and _cost(pages, size) > len(found):
            self._too_few = len(wanted)
        return found


def _cost(pages: int, size: int) -> float:
    return pages * (1 + size / _ELEMENTS_PER_CALL)


def _is_last(page: Page[Execution], offset: int, size: int) -> bool:
    if not page.items:
        return True
    # A server may grant smaller pages than it is asked for.
    return len(page.items) < (page.max_results or size) if page.total is None else offset >= page.total
