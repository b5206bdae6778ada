"""The account of the night with many workers, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from devel.many_workers.account import Account


def report(account: Account) -> str:
    """Return it, without the verdict."""
    sent = Counter(part.workers[-1] for part in account.parts if part.workers)
    lost = Counter(worker for part in account.parts for worker in part.workers[:-1])
    lines = ["Parts by worker:"]
    for worker in sorted(sent | lost):
        note = f", and {lost[worker]} that another one had to take over" if lost[worker] else ""
        lines.append(f"  {worker:<12} {sent[worker]:>5}{note}")
    lines.append("Requests at the sandbox:")
    lines += [f"  {kind:<24} {number:>5}" for kind, number in sorted(account.requests.items())]
    calm = account.calm
    seen = ", ".join(f"{number} {kind}" for kind, number in sorted(calm.requests.items())) or "no request"
    lines.append(f"While {calm.waits} tasks waited, in {calm.seconds:.0f} s: {seen}")
    lines.append(
        f"Killed: {account.worker.name} with {len(account.worker.under_way)} parts in hand, "
        f"{account.triggerer.name} with {len(account.triggerer.under_way)} waits"
    )
    taken = [item for item in account.received if item.status != "CANCELED"]
    big = account.source
    arrived = sum(item.bytes for item in taken)
    lines += [
        f"The object:     {big.bytes:,} bytes, {big.lines:,} lines, sha256 {big.sha256}",
        f"At the sandbox: {arrived:,} bytes, {len(taken)} executions, sha256 {account.sha256}",
    ]
    return "\n".join(lines)
