"""A lane of the chaos run: one sandbox, and one load behind the other, each tried as Airflow would."""

from __future__ import annotations

import contextlib
import dataclasses
import http
import http.client
import json
import os
import secrets
import select
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from devel.chaos.child import run_try
from devel.chaos.judging import Played, judge
from devel.chaos.plans import LIST_LAG_S, REJECTED, TIMEOUT_S, Kill, LoadPlan, TryPlan
from devel.chaos.source import line, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from devel.sandbox_process import SandboxProcess

#: Retries that a task has; more than the tries that something befalls.
_RETRIES: Final = 9
#: A late request must be done this long after the death of its client, or the list may lag longer than the load allows.
_LATEST_S: Final = 0.6
#: How long a wait for a held request is at a time, in s.
_WAIT_S: Final = 0.5
_CALM: Final = TryPlan()


@dataclasses.dataclass(slots=True)
class _Late:
    """A request that goes on without its client."""

    fault: int
    died_at: float
    at: float


class Lane:
    """Plays loads against one sandbox.

    :param keep: Where the folder of a load that went wrong is left.
    """

    def __init__(self, sandbox: SandboxProcess, keep: Path) -> None:
        self.sandbox = sandbox
        self._keep = keep
        self._connection = sandbox.connection

    def play(self, load: LoadPlan) -> Played:
        """Play a load to its end, and judge it."""
        with tempfile.TemporaryDirectory(prefix="chaos-") as name:
            folder = Path(name)
            played = _Playing(self, load, folder).play()
            if played.wrong:
                folder.rename(self._keep / f"load-{load.seed}")
                folder.mkdir()
            return played

    # The sandbox -----------------------------------------------------------------------------------------------------

    def prepare(self, load: LoadPlan, folder: Path) -> None:
        """Make everything new."""
        self.sandbox.control("POST", "reset")
        self.sandbox.control("POST", "settings", {**load.settings, "reject_marker": REJECTED})
        self.write_connection(folder)

    def write_connection(self, folder: Path, token: str | None = None) -> None:
        """Write down the connection that tasks read."""
        if token:
            self._connection = {**self._connection, "password": token}
        extra = {**self._connection["extra"], "list_lag": LIST_LAG_S, "timeout": TIMEOUT_S}
        part = folder / ".connection"
        part.write_text(json.dumps({**self._connection, "extra": extra}))
        part.replace(folder / "connection")

    @property
    def token(self) -> str:
        """The token that is valid now."""
        return str(self._connection["password"])

    def plan_fault(self, plan: dict[str, Any]) -> int:
        """Plan a fault and return its number."""
        return int(self.sandbox.control("POST", "faults", plan)["number"])

    def release(self, fault: int) -> None:
        """Let a held request go on."""
        self.sandbox.control("POST", f"faults/{fault}/release")

    def last_request(self) -> int:
        """Return the number of the last request."""
        found = self.sandbox.control("GET", "requests?last=1")
        return int(found[-1]["number"]) if found else 0


class _Playing:
    """One load being played."""

    def __init__(self, lane: Lane, load: LoadPlan, folder: Path) -> None:
        self._lane = lane
        self._load = load
        self._folder = folder
        self._late: list[_Late] = []
        self._names: dict[int, str] = {}
        self._max_tries = _RETRIES
        self._result: dict[str, Any] = {}
        self.played = Played(seed=load.seed)
        #: What the source was, in the present generation, and the first request of each generation.
        self.versions = [lines_of(load)]
        self.boundaries = [0]

    def play(self) -> Played:
        lane, played = self._lane, self.played
        lane.prepare(self._load, self._folder)
        self._write_source()
        began = time.monotonic()
        generation_began = 0
        for number in range(1, len(self._load.tries) + 2 * _RETRIES):
            plan = self._load.tries[number - 1] if number <= len(self._load.tries) else _CALM
            if plan is _CALM:
                self._calm_down()
            played.tries += 1
            self._result = self._try(plan, number)
            is_over = "summary" in self._result or not self._result.get("retryable", True)
            if plan.then == "clear":
                self._clear(number)
                generation_began = number
            elif is_over or number - generation_began > _RETRIES:
                break
            else:
                self._between(plan)
        self._calm_down()
        played.seconds = time.monotonic() - began
        judge(self, self._result)
        return played

    # What judging needs ----------------------------------------------------------------------------------------------

    @property
    def load(self) -> LoadPlan:
        return self._load

    @property
    def sandbox(self) -> SandboxProcess:
        return self._lane.sandbox

    def texts(self) -> list[str]:
        """Return all that others may read: logs, state, what the task returned or raised."""
        files = [self._folder / "log.txt", *(self._folder / "state").glob("*")]
        return [json.dumps(self._result), *(path.read_text() for path in files if path.exists())]

    @property
    def secrets(self) -> list[str]:
        return [self._lane.token, f"crm-{self._load.seed}-"]

    # Tries -----------------------------------------------------------------------------------------------------------

    def _try(self, plan: TryPlan, number: int) -> dict[str, Any]:
        for fault in plan.faults:
            self._names[self._lane.plan_fault(fault.plan)] = fault.name
        kill = plan.kill
        kill_at = self._lane.plan_fault(kill.hold) if kill and kill.hold else None
        rotate_at = None
        if plan.rotate_at:
            rotate_at = self._lane.plan_fault({"action": "hold", "kind": plan.rotate_at, "when": "before_body"})
        (self._folder / "result").unlink(missing_ok=True)
        child = os.fork()
        if not child:
            run_try(self._load, plan, self._folder, try_number=number, max_tries=self._max_tries)
        with contextlib.ExitStack() as cleanup:
            status = _Watch(self, child, plan.kill, cleanup).until_it_ends(kill_at, rotate_at)
        for hold in (kill_at, rotate_at):
            if hold is not None and hold not in {late.fault for late in self._late}:
                # Released, it holds nothing in later tries.
                self._lane.release(hold)
        if os.WIFSIGNALED(status) and kill:
            self.played.kills[kill.name] = self.played.kills.get(kill.name, 0) + 1
            return {"retryable": True, "kind": "killed"}
        return dict(json.loads((self._folder / "result").read_text()))

    def released_late(self, kill: Kill, fault: int) -> None:
        """Note a request that goes on without its client."""
        now = time.monotonic()
        self._late.append(_Late(fault, now, now + kill.late_s))

    def release_what_is_due(self) -> float | None:
        """Let late requests go on whose time has come; return how long until the next one, in s."""
        now = time.monotonic()
        for late in [late for late in self._late if late.at <= now]:
            self._late.remove(late)
            self._lane.release(late.fault)
            if time.monotonic() - late.died_at > _LATEST_S:
                self.played.is_beyond_patience = True
        return min((late.at - now for late in self._late), default=None)

    def rotate(self, fault: int) -> None:
        """Replace the token, while a request with the old one is held."""
        token = f"api:{secrets.token_hex(8)}"
        # First there, then here: whoever is refused finds the new one.
        self._lane.write_connection(self._folder, token)
        self.sandbox.control("POST", "tokens/rotate", {"token": token})
        self._lane.release(fault)
        self._count("token replaced")

    def _calm_down(self) -> None:
        """Let all that is late come in, and nothing go wrong any more."""
        while (left_s := self.release_what_is_due()) is not None:
            time.sleep(left_s)
        for fault in self.sandbox.control("GET", "faults"):
            for _ in fault["fired"]:
                if name := self._names.get(fault["number"]):
                    self._count(name)
        self._names.clear()
        self.sandbox.control("DELETE", "faults")

    def _count(self, name: str) -> None:
        self.played.faults[name] = self.played.faults.get(name, 0) + 1

    # Between tries ---------------------------------------------------------------------------------------------------

    def _clear(self, number: int) -> None:
        """Clear the task, as Airflow does: it may be tried as often again."""
        self.played.clears += 1
        self._max_tries = number + _RETRIES
        self.boundaries.append(self._lane.last_request() + 1)
        self.versions = self.versions[-1:]

    def _between(self, plan: TryPlan) -> None:
        match plan.then:
            case "change":
                self._count("source changed")
                self.versions.append([*self.versions[-1], line(self._load, 99)])
                self._write_source()
            case "cancel":
                self._cancel_one()

    def _cancel_one(self) -> None:
        """Cancel a pending execution, as somebody may do in Navigator."""
        for execution in self.sandbox.control("GET", "state")["executions"]:
            if execution["status"] == "PENDING":
                self.sandbox.control("POST", f"executions/{execution['id']}/status", {"status": "CANCELED"})
                self._count("cancelled by somebody")
                return

    def _write_source(self) -> None:
        (self._folder / "source.ndjson").write_bytes(b"".join(item + b"\n" for item in self.versions[-1]))


class _Watch:
    """Looks after a try: kills it, or replaces the token, when a request of it is held; lets late ones go on."""

    def __init__(self, playing: _Playing, child: int, kill: Kill | None, cleanup: contextlib.ExitStack) -> None:
        self._playing = playing
        self._child = child
        self._kill = kill
        self._cleanup = cleanup
        self._end = os.pidfd_open(child)
        cleanup.callback(os.close, self._end)
        self._waits: dict[Any, tuple[http.client.HTTPConnection, int, Callable[[dict[str, Any]], None]]] = {}
        self._deadline = time.monotonic() + kill.after_s if kill and kill.after_s is not None else None

    def until_it_ends(self, kill_at: int | None, rotate_at: int | None) -> int:
        """Return the status of the ended process.

        :param kill_at: The fault that holds a request at which it is killed.
        :param rotate_at: The fault that holds one at which the token is replaced.
        """
        if kill_at is not None:
            self._when_held(kill_at, self._kill_here)
        if rotate_at is not None:
            self._when_held(rotate_at, lambda _: self._playing.rotate(rotate_at))
        while True:
            due_s = self._playing.release_what_is_due()
            if self._deadline is not None:
                left_s = self._deadline - time.monotonic()
                if left_s <= 0:
                    self._deadline = None
                    os.kill(self._child, signal.SIGKILL)
                    continue
                due_s = left_s if due_s is None else min(left_s, due_s)
            ready, _, _ = select.select([self._end, *self._waits], [], [], due_s)
            if self._end in ready:
                return os.waitpid(self._child, 0)[1]
            for wait in [item for item in ready if item in self._waits]:
                self._answered(*self._waits.pop(wait))

    def _when_held(self, fault: int, do: Callable[[dict[str, Any]], None]) -> None:
        connection = http.client.HTTPConnection(self._playing.sandbox.url.removeprefix("http://"))
        self._cleanup.callback(connection.close)
        # Asked anew again and again: a wait that nobody listens to any more keeps a thread of the sandbox's busy.
        body = json.dumps({"held": 1, "timeout": _WAIT_S})
        connection.request("POST", f"/_sandbox/faults/{fault}/wait", body, {"Content-Type": "application/json"})
        self._waits[connection.sock] = connection, fault, do

    def _answered(
        self, connection: http.client.HTTPConnection, fault: int, do: Callable[[dict[str, Any]], None]
    ) -> None:
        answer = connection.getresponse()
        found = json.loads(answer.read())
        connection.close()
        if answer.status == http.HTTPStatus.OK:
            do(found)
        else:
            self._when_held(fault, do)

    def _kill_here(self, fault: dict[str, Any]) -> None:
        os.kill(self._child, signal.SIGKILL)
        if fault["gone"]:
            self._playing.played.is_beyond_patience = True
        if self._kill and self._kill.hold and self._kill.hold.get("if_gone") == "keep":
            self._playing.released_late(self._kill, fault["number"])
