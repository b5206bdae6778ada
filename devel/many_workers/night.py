"""The night with many workers: what is asked of Airflow, who is killed and when, and what came of it."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from devel.airflow_api import RUN_ENDED
from devel.many_workers.account import Account, Calm, Kill, Part, Received, order
from devel.many_workers.airflow import SLOTS, TRIGGERERS, WORKERS
from devel.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from devel.airflow_rest import Json
    from devel.cluster import LocalAirflow
    from devel.many_workers.big_object import BigObject
    from devel.sandbox_process import SandboxProcess

DAG_ID: Final = "many_workers"
_UPLOAD: Final = "load.upload"
_WAIT: Final = "wait"
#: Parts that go in undisturbed before a worker is killed.
_UNDISTURBED: Final = 3
#: How long the executions run, in s of the sandbox's clock.
_RUN_S: Final = 86_400.0
#: How long nothing happens but waiting, in s: some intervals of the waits.
_CALM_S: Final = 30.0
#: Airflow is asked so often what its tasks do, in s: for a few, and more rarely for each one more. It answers a hundred
#: tasks at a time, and is busy enough.
_LOOK_S: Final = 2.0
_LOOK_S_FOR_EACH: Final = 0.02
_SAY_S: Final = 15.0


class NightEndedError(RuntimeError):
    """The run ended before all that was to happen in it has."""


class Night:
    """One run.

    :param uri: The object, as Airflow names it.
    :param waits: How many tasks wait at the same time, beside the load's own.
    :param timeout_s: For each stage of it, in s.
    """

    def __init__(
        self,
        airflow: LocalAirflow,
        sandbox: SandboxProcess,
        *,
        uri: str,
        waits: int,
        timeout_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._airflow = airflow
        self._api = airflow.api
        self._sandbox = sandbox
        self._uri = uri
        self._waits = waits
        self._timeout_s = timeout_s
        self._say = say
        self._look_s = _LOOK_S + waits * _LOOK_S_FOR_EACH
        self._run_id = ""
        self._deferred: set[int] = set()
        self._said_at = time.monotonic()

    def play(self, big: BigObject) -> Account:
        """Let the night pass."""
        # No execution ends before all wait. They run, though: one that is not picked up tells nothing of what it holds,
        # and a part of which nobody knows whether it is in could not be told from others.
        self._sandbox.control("POST", "settings", {"running_s": _RUN_S})
        hold = {"action": "hold", "kind": "create_execution", "when": "after_commit"}
        fault = self._sandbox.control("POST", "faults", {**hold, "after": _UNDISTURBED, "times": len(WORKERS) * SLOTS})[
            "number"
        ]
        self._run_id = self._api.trigger(DAG_ID, conf={"path": self._uri, "waits": self._waits})
        self._say(f"run {self._run_id} of {DAG_ID} started")
        worker = self._kill_worker(fault)
        triggerer = self._kill_triggerer()
        calm = self._stay_calm(triggerer)
        self._sandbox.control("POST", "advance", {"seconds": _RUN_S})
        self._say("the executions end")
        run_state = self._api.wait_run(DAG_ID, self._run_id, timeout_s=self._timeout_s, on_poll=self._tell_now_and_then)
        self._say(f"the run ended: {run_state}")
        return self._account(big, run_state, worker, triggerer, calm)

    def _kill_worker(self, fault: int) -> Kill:
        """Kill a worker whose parts are all in, and that does not know it yet."""
        plan = f"faults/{fault}"

        def all_held() -> Json | None:
            self._check()
            found: Json = next(item for item in self._sandbox.control("GET", "faults") if item["number"] == fault)
            return found if len(found["held"]) == len(WORKERS) * SLOTS else None

        wait_until(
            all_held, what="an upload in each slot", timeout_s=self._timeout_s, interval_s=1, last_seen=self._tell
        )
        name = WORKERS[0]
        in_hand = tuple(
            sorted(
                task["map_index"] + 1
                for task in self._tasks(_UPLOAD)
                if task["state"] == "running" and task["hostname"] == name
            )
        )
        self._airflow.kill(name)
        self._sandbox.control("POST", f"{plan}/wait", {"gone": len(in_hand), "timeout": 30})
        self._sandbox.control("POST", f"{plan}/release")
        self._say(f"killed {name}, which had sent parts {_listed(in_hand)} and not been answered")
        return Kill(name, in_hand)

    def _kill_triggerer(self) -> Kill:
        """Kill the triggerer in which more wait, when half of all do."""

        def half() -> dict[str, list[int]] | None:
            found = self._waiting()
            return found if sum(map(len, found.values())) >= max(self._waits // 2, 1) else None

        waiting = wait_until(
            half, what="half of all waiting", timeout_s=self._timeout_s, interval_s=self._look_s, last_seen=self._tell
        )
        name = max(TRIGGERERS, key=lambda item: len(waiting.get(item, ())))
        self._airflow.kill(name)
        self._say(
            f"killed {name}; at that moment waited: "
            + ", ".join(f"{len(numbers)} in {triggerer}" for triggerer, numbers in sorted(waiting.items()))
        )
        return Kill(name, tuple(waiting.get(name, ())))

    def _stay_calm(self, triggerer: Kill) -> Calm:
        """Let all wait, in the triggerer that is left, and count what that costs."""
        (survivor,) = set(TRIGGERERS) - {triggerer.name}

        def all_waiting() -> bool:
            return len(self._waiting().get(survivor, ())) == self._waits

        wait_until(
            all_waiting,
            what=f"all waiting in {survivor}",
            timeout_s=self._timeout_s,
            interval_s=self._look_s,
            last_seen=self._tell,
        )
        before, began = self._requests(), time.monotonic()
        self._say(f"all {self._waits} wait in {survivor}; nothing happens for {_CALM_S:g} s")
        time.sleep(_CALM_S)
        return Calm(time.monotonic() - began, self._waits, dict(Counter(self._requests()) - Counter(before)))

    def _waiting(self) -> dict[str, list[int]]:
        """Return the numbers of the tasks that wait, by triggerer; None of them has been taken by none yet."""
        self._check()
        found: dict[str, list[int]] = {}
        for task in self._tasks(_WAIT, state="deferred"):
            self._deferred.add(task["map_index"])
            if job := task["triggerer_job"]:
                found.setdefault(job["hostname"], []).append(task["map_index"])
        self._tell_now_and_then()
        return found

    def _check(self) -> None:
        """Raise if there is nothing to wait for any more."""
        self._airflow.check()
        if (state := self._api.run(DAG_ID, self._run_id)["state"]) in RUN_ENDED:
            raise NightEndedError(f"the run ended as {state} too early: {self._tell()}")

    def _tasks(self, task_id: str, **params: str) -> list[Json]:
        path = f"/dags/{DAG_ID}/dagRuns/{self._run_id}/taskInstances"
        pages = self._api.pages(path, "task_instances", order_by="map_index", **params)
        return [task for task in pages if task["task_id"] == task_id and task["map_index"] >= 0]

    def _tell_now_and_then(self) -> None:
        if time.monotonic() - self._said_at >= max(_SAY_S, self._look_s):
            self._tell()

    def _tell(self) -> str:
        """Say where things stand."""
        self._said_at = time.monotonic()
        states = Counter(
            (task["task_id"], task["state"] or "none") for task in self._api.task_instances(DAG_ID, self._run_id)
        )
        text = ", ".join(f"{task_id} {state} {number}" for (task_id, state), number in sorted(states.items()))
        self._say(f"  {text}")
        return text

    def _requests(self) -> dict[str, int]:
        """Return how many requests of each kind reached the sandbox."""
        counts: Mapping[str, int] = self._sandbox.control("GET", "counts")
        others = ("status_", "fault_", "total", "connections", "dropped")
        return {kind: number for kind, number in counts.items() if not kind.startswith(others)}

    def _account(self, big: BigObject, run_state: str, worker: Kill, triggerer: Kill, calm: Calm) -> Account:
        parts = [self._part(task) for task in self._tasks(_UPLOAD)]
        executions: Sequence[Json] = self._sandbox.control("GET", "state")["executions"]
        received = [Received(item["id"], item["received"]["bytes"], item["status"]) for item in executions]
        in_order = order(parts, received)
        summary = self._api.xcom(DAG_ID, self._run_id, "load.wait") if run_state == "success" else {}
        return Account(
            run_state=run_state,
            source=big,
            parts=parts,
            received=received,
            sha256=None if in_order is None else self._sha256(in_order),
            summary=summary,
            waits={task["map_index"]: str(task["state"]) for task in self._tasks(_WAIT)},
            deferred=frozenset(self._deferred),
            worker=worker,
            triggerer=triggerer,
            calm=calm,
            requests=self._requests(),
        )

    def _part(self, task: Json) -> Part:
        where: dict[str, Any] = {"map_index": task["map_index"]}
        tries = self._api.tries(DAG_ID, self._run_id, _UPLOAD, **where) if task["try_number"] > 1 else [task]
        returned = self._api.xcom(DAG_ID, self._run_id, _UPLOAD, **where) if task["state"] == "success" else ()
        workers = [item["hostname"] for item in sorted(tries, key=lambda item: int(item["try_number"]))]
        return Part(task["map_index"] + 1, str(task["state"]), tuple(workers), tuple(returned))

    def _sha256(self, execution_ids: Sequence[str]) -> str:
        digest = hashlib.sha256()
        for execution_id in execution_ids:
            digest.update(self._sandbox.download(execution_id))
        return digest.hexdigest()


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"
