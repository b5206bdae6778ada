"""What can be set on a running stand-in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from airflow_provider_mics.api.constants import DEFAULT_PAGE_SIZE

#: Largest file the vendor's web UI takes, bytes.
DEFAULT_MAX_BODY_BYTES: Final = 100 * 1024 * 1024


@dataclass(slots=True)
class Settings:
    """Behaviour of the stand-in; every field may be changed while it runs, and is read anew at each request.

    Times are seconds. Where the vendor's behaviour is not public, the field's comment says UNKNOWN.
    """

    #: How long an execution stays PENDING, then RUNNING, before it is SUCCEEDED.
    pending_s: float = 0.2
    running_s: float = 0.3
    #: Another path: (status, seconds in it) pairs; the last one stays for ever. None: PENDING, RUNNING, SUCCEEDED.
    life_cycle: Sequence[tuple[str, float]] | None = None
    #: Word of an execution that ended well. "SUCCESS" is the vendor's older one.
    success_status: str = "SUCCEEDED"
    #: A new execution is missing from lists for so long (eventual consistency). UNKNOWN whether the vendor does so.
    list_lag_s: float = 0.0
    #: A new execution is left out of so many lists that would show it, whatever the time; None: of all, until
    #: ``Sandbox.publish``. Read when the execution is created.
    list_lag_calls: int | None = 0
    #: The same two for new document imports.
    import_list_lag_s: float = 0.0
    import_list_lag_calls: int | None = 0
    #: Executions' input files can be downloaded; False: 404. Error files always can.
    input_files_available: bool = True
    #: ``parameters`` is null until the execution is picked up (None), or shows so long after creation.
    parameters_lag_s: float | None = None
    #: Show ``result`` and ``end_date`` while the status is still PENDING, as one of the vendor's samples does.
    result_while_pending: bool = False
    #: total_success, total_failure and number_of_lines as strings instead of numbers.
    counts_as_strings: bool = False
    #: Merged into every execution's resource before it is answered (see ``Sandbox.override`` for one execution only).
    execution_override: Mapping[str, Any] = field(default_factory=dict)
    #: A bigger file is refused. UNKNOWN at the vendor, who only says to split above 100 MB: we answer 413.
    max_body_bytes: int = DEFAULT_MAX_BODY_BYTES
    #: How many failed lines are quoted in ``error.message``. UNKNOWN at the vendor.
    saved_errors: int = 100
    #: Check the lines of uploads by document type; False: every line succeeds (for speed).
    check_lines: bool = True
    #: Ids of the compartments that the datamarts have: a profile, segment or choice line that names another one fails,
    #: which no look at the line itself can tell. None: every id is one. UNKNOWN what the vendor says of such a line.
    compartments: Sequence[str] | None = None
    #: A line for which this says true fails. Called with the raw bytes of the line, without its line end.
    reject_if: Callable[[bytes], bool] | None = None
    #: Same, for other processes: a line that contains this text fails.
    reject_marker: str | None = None
    #: What CANCEL answers when the execution is no longer PENDING. UNKNOWN at the vendor: "error" is a 400 envelope,
    #: "unchanged" the execution as it is.
    cancel_refusal: Literal["error", "unchanged"] = "error"
    #: Status of an answered creation. UNKNOWN whether the vendor says 200 or 201.
    created_status: int = 200
    #: Page size of lists when the request names none, and the largest one granted (None: any).
    default_page_size: int = DEFAULT_PAGE_SIZE
    max_page_size: int | None = None
    #: Good lines of bulk imports are carried out on the user points, as soon as they are checked: before the execution
    #: says so, and also when it is cancelled. Off: it takes memory for each person.
    imports_change_users: bool = False
    #: An activity can be read back so long after it was taken, unless it was sent with ``async=false``.
    activity_lag_s: float = 0.0
    #: Keep the activities of the unit API, and make user points of them; False: they are checked and counted only.
    keep_activities: bool = True
    #: Lifetime of tokens issued by a login.
    expires_in_s: float = 3600
    #: Answer a new refresh token with each access token; the old one ends.
    rotate_refresh_tokens: bool = False
    #: Every login is answered with 401 EXPIRED_PASSWORD_ERROR.
    password_expired: bool = False

    #: Lifetime of tokens that MetaX issues.
    metax_expires_in_s: float = 3600

    def update(self, values: Mapping[str, Any]) -> None:
        """Set several fields by name.

        :raises ValueError: a name is not a setting, or its value is of the wrong kind; nothing was set then.
        """
        known = {item.name: item for item in dataclasses.fields(self)}
        for name, value in values.items():
            if name not in known:
                message = f"{name} is not a setting; settings are {', '.join(sorted(known))}"
                raise ValueError(message)
            _check(name, value, getattr(self, name))
        for name, value in values.items():
            setattr(self, name, value)

    def as_json(self) -> dict[str, Any]:
        """Every setting that JSON can say; ``reject_if`` as whether there is one."""
        values = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        values["reject_if"] = self.reject_if is not None
        return values


#: Fields whose present value does not tell their type, with the types they take.
_OPTIONAL: Final[Mapping[str, tuple[type, ...]]] = {
    "life_cycle": (list, tuple),
    "parameters_lag_s": (int, float),
    "list_lag_calls": (int,),
    "import_list_lag_calls": (int,),
    "reject_marker": (str,),
    "compartments": (list, tuple),
    "max_page_size": (int,),
}


def _check(name: str, value: Any, present: Any) -> None:
    """Refuse a value that would only fail later, in the middle of a request."""
    if name == "reject_if":
        fits = value is None or callable(value)
    elif name in _OPTIONAL:
        fits = value is None or isinstance(value, _OPTIONAL[name])
    elif isinstance(present, bool):
        fits = isinstance(value, bool)
    elif isinstance(present, int | float):
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif isinstance(present, Mapping):
        fits = isinstance(value, Mapping)
    else:
        fits = isinstance(value, str)
    if name == "cancel_refusal":
        fits = value in {"error", "unchanged"}
    if name == "life_cycle" and value is not None:
        fits = bool(value) and all(_is_step(step) for step in value)
    if not fits:
        message = f"{value!r} is not a value for the setting {name}"
        raise ValueError(message)


def _is_step(step: Any) -> bool:
    """Tell whether it is a status and the seconds in it."""
    match step:
        case [str(), int() | float()]:
            return True
        case _:
            return False
