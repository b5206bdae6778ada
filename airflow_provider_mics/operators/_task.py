"""What every task of this provider has in common.

Dag files import the modules of operators and sensors, so these import what only a worker needs inside methods.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.common.compat.sdk import BaseOperator
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_3_PLUS

from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError
from airflow_provider_mics.links.document_import import MicsDocumentImportLink
from airflow_provider_mics.xcom_keys import DEAD_LETTER_KEY, PARTS_KEY, RANGES_KEY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from airflow.providers.common.compat.sdk import BaseOperatorLink, Context

    from airflow_provider_mics.bulk.report import Report
    from airflow_provider_mics.bulk.sent_part import SentPart
    from airflow_provider_mics.hooks.mics import MicsHook

#: Paths that name nothing; a template makes a text of None.
NO_PATH: Final = frozenset({None, "", "None"})


class ProviderTask(BaseOperator):
    """Base of all operators and the sensor: they fail at once where another try cannot help."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if AIRFLOW_V_3_3_PLUS and getattr(self, "retry_policy", None) is None:
            from airflow_provider_mics.retry_policy import MicsRetryPolicy

            self.retry_policy = MicsRetryPolicy()


class MicsTask(ProviderTask):
    """Base of the operators and the sensor that talk to mediarithmics: connection, link.

    :param mics_conn_id: The Airflow connection.
    :param datamart_id: The datamart to work in; None: the connection's.
    """

    ui_color = "#d9efe9"
    operator_extra_links: Collection[BaseOperatorLink] = (MicsDocumentImportLink(),)

    #: Address of the task's document import in Navigator, for the link.
    navigator_url: str | None = None

    def __init__(self, *, mics_conn_id: str = "mics_default", datamart_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mics_conn_id = mics_conn_id
        self.datamart_id = datamart_id

    @cached_property
    def hook(self) -> MicsHook:
        """The hook of this task; made when first used, on a worker."""
        from airflow_provider_mics.hooks.mics import MicsHook

        return MicsHook(self.mics_conn_id, self.datamart_id)

    def link_to(self, context: Context, document_import_id: str) -> None:
        """Give the task its link, at once, so that it is there while the task runs. A link is worth no failure."""
        try:
            self.navigator_url = self.hook.document_import_url(document_import_id)
        except MicsError as error:
            self.hook.log.info("No link to Navigator: %s", error)
            return
        context["ti"].xcom_push(key=MicsDocumentImportLink.xcom_key, value=self.navigator_url)


def report_to(path: Any, hook: MicsHook) -> Report | None:
    """Return how a load writes its report; None if it shall not.

    :param path: May have come through a template.
    """
    if path in NO_PATH:
        return None
    from airflow_provider_mics.bulk.report import Report
    from airflow_provider_mics.storage import find_files, open_for_writing

    return Report(
        path=str(path), download=hook.download_data_file, open_for_writing=open_for_writing, find_files=find_files
    )


def name_for_run(name: str, context: Context) -> str:
    """Return ``name`` with the night of the run: its logical date or, where a manual run has none, its run_after."""
    import pendulum

    from airflow_provider_mics.bulk.night import name_of_night

    run = context["dag_run"]
    moment = run.logical_date or run.run_after
    return name_of_night(name, moment, context["dag"].timezone or pendulum.UTC)


def hand_over(context: Context, parts: Collection[SentPart], dead_letter: dict[str, Any] | None = None) -> None:
    """Tell the task that waits what was sent, and where lines were put aside and how many."""
    if dead_letter:
        context["ti"].xcom_push(key=DEAD_LETTER_KEY, value=dead_letter)
    context["ti"].xcom_push(
        key=PARTS_KEY,
        value=[
            {
                "execution_id": part.execution_id,
                "file": part.file,
                "number": part.number,
                "lines": part.lines,
                "bytes": part.bytes,
            }
            for part in parts
        ],
    )
    if ranges := {part.execution_id: {"ranges": part.ranges, "version": part.version} for part in parts if part.ranges}:
        context["ti"].xcom_push(key=RANGES_KEY, value=ranges)


def handed_over(context: Context, task_ids: Iterable[str], execution_ids: Collection[str]) -> list[SentPart] | None:
    """Return what the given tasks sent in these executions; None if that is not known of each of them."""
    from airflow_provider_mics.bulk.sent_part import SentPart

    known: dict[str, Any] = {}
    for item in context["ti"].xcom_pull(task_ids=list(task_ids), key=RANGES_KEY) or ():
        known |= item or {}
    found: dict[str, SentPart] = {}
    for records in context["ti"].xcom_pull(task_ids=list(task_ids), key=PARTS_KEY) or ():
        for record in records or ():
            place = known.get(record["execution_id"])
            part = SentPart(
                **record,
                ranges=tuple((offset, length) for offset, length in place["ranges"]) if place else None,
                version=tuple(place["version"]) if place else None,
            )
            found[part.execution_id] = part
    if any(execution_id not in found for execution_id in execution_ids):
        return None
    return [found[execution_id] for execution_id in execution_ids]


def put_aside(context: Context, task_ids: Iterable[str]) -> dict[str, Any] | None:
    """Return where the given tasks have put lines aside, and how many; None if they have not."""
    found = [item for item in context["ti"].xcom_pull(task_ids=list(task_ids), key=DEAD_LETTER_KEY) or () if item]
    if not found:
        return None
    return {"path": ", ".join(item["path"] for item in found), "lines": sum(item["lines"] for item in found)}


def flat_ids(value: Any) -> list[str] | None:
    """Return ids as a flat list, without repetitions, in order; None stays None.

    Takes what upstream tasks return: an id, a list, lists of mapped tasks in a list, and the text that a Jinja template
    makes of a list.

    :raises MicsConfigurationError: Something in it is not an id.
    """
    if value is None:
        return None
    return list(dict.fromkeys(_ids(value)))


def _ids(value: Any) -> Iterable[str]:
    if isinstance(value, int) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, str):
        if not re.fullmatch(r"[\s\[\]()'\",0-9]*", value):
            raise MicsConfigurationError("execution_ids must be ids, which are numbers.")
        yield from re.findall(r"[0-9]+", value)
    elif value is not None and hasattr(value, "__iter__") and not isinstance(value, bytes | dict):
        for item in value:
            yield from _ids(item)
    elif value is not None:
        raise MicsConfigurationError(f"execution_ids must be ids or lists of ids, not {type(value).__name__}.")
