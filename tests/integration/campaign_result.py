"""What came of a campaign: every manifest, and every promise that was broken."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.integration.campaign_plan import Fault, Plan


@dataclass
class CampaignResult:
    """What came of a campaign."""

    plan: Plan
    faults: Counter[Fault] = field(default_factory=Counter)
    events_dropped: int = 0
    events_repeated: int = 0
    postponed: int = 0
    """Deliveries that were seen as postponed while there was no queue."""
    poisoned: int = 0
    """Messages on the poison queue in the end."""
    manifests: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """All events of each job, repeats included."""
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    outbox: frozenset[str] = frozenset()
    seconds: float = 0

    @property
    def lost(self) -> list[str]:
        """The jobs without a manifest."""
        return [one.job_run_id for one in self.plan.jobs if not self.manifests.get(one.job_run_id)]

    def breaches(self) -> Iterator[str]:
        """Every broken promise, in words."""
        if self.poisoned:
            yield f"{self.poisoned} tickets failed too often"
        yield from self._breaches_of_jobs()

    def _breaches_of_jobs(self) -> Iterator[str]:
        for job in self.plan.jobs:
            events, id_ = self.manifests.get(job.job_run_id, []), job.job_run_id
            record = self.records[id_]
            if not events:
                yield f"{id_}: no manifest"
            if len({event["id"] for event in events}) > 1:
                yield f"{id_}: manifests of several ids"
            if len({str(event) for event in events}) > 1:
                yield f"{id_}: manifests that differ"
            if record["stage"] != "delivered":
                yield f"{id_}: is {record['stage']}"
            for event in events:
                if event["id"] != record["manifestId"]:
                    yield f"{id_}: the record names another manifest"
                if f"{id_}/{event['id']}.json" not in self.outbox:
                    yield f"{id_}: sent and not in the outbox"
                if event["data"]["outcome"] != job.outcome:
                    yield f"{id_}: {event['data']['outcome']}, not {job.outcome}"


def show(result: CampaignResult, console: Console) -> None:
    """Every manifest by id, then the sums."""
    table = Table(box=None)
    for title in ("job", "events", "outcome", "tickets", "sent", "manifest id"):
        table.add_column(title, no_wrap=True)
    for job in result.plan.jobs:
        events = result.manifests.get(job.job_run_id, [])
        table.add_row(
            job.job_run_id,
            job.events,
            events[0]["data"]["outcome"] if events else "-",
            str(result.records[job.job_run_id]["tickets"]),
            str(len(events)),
            ", ".join(sorted({event["id"] for event in events})) or "LOST",
        )
    console.print(table, "")
    ids = {event["id"] for events in result.manifests.values() for event in events}
    breaches = list(result.breaches())
    sums = Table(show_header=False, box=None)
    for fault in Fault:
        sums.add_row(fault, str(result.faults[fault]))
    for text, value in {
        "first events dropped": result.events_dropped,
        "events delivered five times in parallel": result.events_repeated,
        "deliveries postponed without a queue": result.postponed,
        "tickets in the poison queue": result.poisoned,
        "manifests expected": len(result.plan.jobs),
        "jobs with a manifest": len(result.plan.jobs) - len(result.lost),
        "distinct manifest ids": len(ids),
        "messages, repeats included": sum(map(len, result.manifests.values())),
        "lost": len(result.lost),
        "promises broken": len(breaches),
        "seconds": round(result.seconds),
    }.items():
        sums.add_row(text, str(value))
    console.print(sums)
    for line in breaches:
        console.print(f"[red]{line}")
