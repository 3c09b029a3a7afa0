"""What the world holds the app to: at every step, and at the end.

It reads the contents of the stores, and never what the app reports about itself.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from gem_core.flows.check_jobs import BUSY
from gem_core.outcome import Outcome
from gem_core.settings.route import DEFAULT, EventType, names_of
from gem_core.storage.names import FAILURES
from gem_core.watch.heartbeat import Tick
from gem_core.watch.marker import MARKER_PREFIX
from gem_core.watch.rate_limiter import LEASE_TIME
from gem_core.watch.record import Settlement, Stage
from gem_core.watch.registry import SUFFIX
from tests.fakes import START
from tests.world.audit import OF_OVERTURE
from tests.world.faults import Fault
from tests.world.gem import NOT_FOUND
from tests.world.host import FUNCTION_TIMEOUT
from tests.world.plan import Deed
from tests.world.routes import ALL
from tests.world.witness import Asked, Sent, Version, Witness

RENEWED_EARLY = 10.0
"""Seconds by which a lease may last longer: it is renewed for a request that waits its turn."""
_ORDER = {stage: number for number, stage in enumerate(Stage)}


class Ledger(Witness):
    """Each promise that was broken."""

    def breach(self, text: str) -> None:
        """A promise is broken."""
        self.breaches.append(f"at {self.seconds():.1f} s in {self.teller()}: {text}")

    def took_effect(self, call: str, args: tuple[Any, ...]) -> None:
        """A call of an edge has just taken effect."""
        edge, _, method = call.partition(".")
        if edge == "jobs" and method in {"create", "replace", "put"}:
            self._record_written(args[0].removesuffix(SUFFIX), json.loads(args[1]), method)
        elif call in {"jobs.delete", "gem-jobs.delete"}:
            job_run_id = args[0].removesuffix(SUFFIX)
            old = self.records.pop(job_run_id, None)
            if old and call == "gem-jobs.delete":
                self._check_deleted(job_run_id, old)
        elif call == "worklist.delete":
            self._check_marker(args[0].removeprefix(MARKER_PREFIX))
        elif edge == "manifests" and method in {"create", "replace", "put"}:
            self._manifest_stored(args[0], args[1])
        elif edge == "leases" and method in {"create", "replace"}:
            self.leased_at = self.seconds()
        elif method == "send" and edge != "batches":
            self._manifest_sent(args[0], DEFAULT if edge == "queue" else edge)

    def tick_ended(self, tick: Tick, began: float) -> None:
        """A tick may be idle beside another run, and until the lease of one that died ends."""
        idle = began - self.leased_at
        if tick.stopped == BUSY and idle > LEASE_TIME.total_seconds() + RENEWED_EARLY:
            self.breach(f"a tick is idle, though no lease was written for {idle:.0f} s")

    def _check_deleted(self, job_run_id: str, record: dict[str, Any]) -> None:
        """A record was deleted because it is old."""
        age = self.seconds() - self.written_at[job_run_id]
        if record["stage"] != Stage.DELIVERED or age < self.keep:
            self.breach(f"{job_run_id} is {record['stage']} and deleted after {age:.0f} s")
        self.deleted[job_run_id].append(record)

    @contextmanager
    def question(self, job_run_id: str) -> Iterator[None]:
        """Somebody asks GEM about a job: alone, unless a person does, or registered it anew."""
        asking = self.asking[job_run_id]
        asking.append(self.teller())
        by_hand = any(teller.startswith(Deed.CHECK + " ") for teller in asking)
        is_early = self.is_slow or self.is_clock_wrong
        if len(asking) > 1 and not (by_hand or is_early or self.was_forgotten(job_run_id)):
            self.breach(f"{job_run_id} is asked about by {' and '.join(asking)} at once")
        try:
            yield
        finally:
            asking.pop()

    def output_written(self, name: str, etag: str, body: bytes) -> None:
        """GEM has written an output."""
        versions = self.versions[name]
        if versions:
            versions[-1].until = self.seconds()
        versions.append(Version(etag, body))

    def _record_written(self, job_run_id: str, new: dict[str, Any], method: str) -> None:
        old = self.records.get(job_run_id)
        self.records[job_run_id] = new
        self.written_at[job_run_id] = self.seconds()
        if new.get("discovered") and self.deleted[job_run_id] and not old:
            self.breach(f"{job_run_id} was deleted as old, and is discovered again")
        if old and method != "create":
            self._check_step(job_run_id, old, new)
        if not self.is_clock_wrong:
            self._check_times(job_run_id, old or {}, new)
        if new["stage"] == Stage.DELIVERED:
            marked = [sent for sent in self.sent[job_run_id] if sent.id == new["manifestId"]]
            if not marked:
                self.breach(f"{job_run_id} is marked as delivered, and nothing was sent")
            elif {sent.registration for sent in marked} != {self._registration(new, new)}:
                self.breach(
                    f"{job_run_id} is marked as delivered by a manifest of a former registration"
                )
        elif new["settlement"] and not (old and old["settlement"]):
            self._check_settlement(job_run_id, new)
        self._check_marker(job_run_id)

    def _check_step(self, job_run_id: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        asked = self.teller().startswith((Deed.REDELIVER, Deed.RESEND))
        again = asked and new["stage"] == Stage.SETTLED
        if _ORDER[Stage(new["stage"])] < _ORDER[Stage(old["stage"])] and not again:
            self.breach(f"{job_run_id} goes back from {old['stage']} to {new['stage']}")
        taken_over = old.get("discovered") and not new.get("discovered")
        for name in ("registeredAt",) if taken_over else ("registeredAt", "labels"):
            if old[name] != new[name]:
                self.breach(f"{job_run_id}: {name} changes from {old[name]!r} to {new[name]!r}")
        if old["settlement"] and old["settlement"] != new["settlement"]:
            self.breach(f"{job_run_id} was {old['settlement']} and is {new['settlement']}")
        if "overture" in str(new["attempts"]).lower():
            self.breach(f"{job_run_id} waits for Overture")
        if new["timesChecked"] < old["timesChecked"]:
            self.breach(f"{job_run_id}: {old['timesChecked']} checks become {new['timesChecked']}")

    def _check_times(self, job_run_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """The times that a run writes are times of this run. All limits and waits build on them."""
        for name in ("registeredAt", "checkedAt", "settledAt", "deliveredAt", "redeliveredAt"):
            if new.get(name) and new[name] != old.get(name):
                at = (datetime.fromisoformat(new[name]) - START).total_seconds()
                if not -1 <= self.seconds() - at <= FUNCTION_TIMEOUT:
                    self.breach(f"{job_run_id}: at {self.seconds():.0f} s, {name} is {at:.0f} s")

    def _check_settlement(self, job_run_id: str, record: dict[str, Any]) -> None:
        said = self.gem_said[job_run_id]
        settlement = record["settlement"]
        if settlement == Settlement.EXPIRED:
            ages = (datetime.fromisoformat(record[name]) for name in ("settledAt", "registeredAt"))
            right = next(ages) - next(ages) >= self.job_deadline
        else:
            right = (NOT_FOUND if settlement == Settlement.LOST else settlement) in said
        if not right:
            self.breach(f"{job_run_id} is settled as {settlement}; GEM said {sorted(said)}")

    def _check_marker(self, job_run_id: str) -> None:
        record = self.records.get(job_run_id)
        is_open = record and record["stage"] != Stage.DELIVERED
        if self._is_registered_anew(job_run_id):
            return
        if record and is_open and self.worklist.get(MARKER_PREFIX + job_run_id) is None:
            self.breach(f"{job_run_id} is {record['stage']} and not on the worklist")

    def _is_registered_anew(self, job_run_id: str) -> bool:
        """A registration that meets a forgetting may lose its marker, until it is answered."""
        return self.was_forgotten(job_run_id) and any(
            asked.deed is Deed.REGISTER and asked.job_run_id == job_run_id and not asked.answered
            for asked in self.asked
        )

    def answered(self, asked: Asked) -> None:
        """A request from outside is answered."""
        asked.answered = True
        self._check_marker(asked.job_run_id)

    def _manifest_stored(self, name: str, body: bytes) -> None:
        if name.endswith(SUFFIX):
            self.stored[name.partition("/")[0]].add(body)

    def _manifest_sent(self, body: str, route: str) -> None:
        event = json.loads(body)
        data = event["data"]
        job_run_id, id_ = data["jobRunId"], event["id"]
        held = self.manifests.get(f"{job_run_id}/{id_}{SUFFIX}")
        if body.encode() not in self.stored[job_run_id]:
            self.breach(f"{job_run_id}: a manifest is sent that never was in the outbox")
        elif not self.was_forgotten(job_run_id) and (held is None or held.body != body.encode()):
            self.breach(f"{job_run_id}: a manifest is sent that is not the one in the outbox")
        etag, registration = "", self._registration(data["timing"], data)
        if data["output"] and (seen := self.auditing.seen(data)) is not None:
            etag = data["output"]["etag"]
            self._check_output(data["output"]["name"], etag, seen)
            if url := data["report"].get("failures"):
                rows = self.failures.get(url.partition(f"{FAILURES}/")[2])
                if rows is None or self.auditing.truth(rows.body) != seen:
                    self.breach(f"the manifest names failing rows that are not its own: {url}")
            not_looked_up = OF_OVERTURE in {line["name"] for line in data["checks"]["notPassed"]}
            in_part = not_looked_up or Fault.OUTPUT_UNREACHABLE in str(data["input"])
            if not in_part and data["outcome"] != Outcome.NOT_AUDITED:  # answers to every request
                ids = self.ids[job_run_id, registration[0], etag, data["checks"]["ruleset"]]
                ids.add(id_)
                if len(ids) > 1:
                    self.breach(f"{job_run_id}: {len(ids)} ids for output {etag}")
        if self.bodies.setdefault(id_, body) != body and not self.was_forgotten(job_run_id):
            self.breach(f"{job_run_id}: {id_} is the id of two manifests")
        self.sent[job_run_id].append(Sent(self.seconds(), id_, etag, registration, route))
        if route not in self._routes_of(data):
            self.breach(f"{job_run_id}: {data['outcome']} is sent to {route}")

    def _check_output(self, name: str, etag: str, seen: str) -> None:
        (version,) = (version for version in self.versions[name] if version.etag == etag)
        truth = self.auditing.truth(version.body)
        if seen != truth:
            self.breach(f"the manifest names {etag} ({truth}), other bytes were audited ({seen})")

    def _routes_of(self, data: Mapping[str, Any]) -> set[str]:
        """The routes that take a manifest."""
        return set(names_of(self.routes, EventType.JOB_SETTLED, data["outcome"], data["labels"]))

    def _check_last_manifest(self, job_run_id: str, record: Mapping[str, Any]) -> None:
        """Each of its routes has got it."""
        id_ = record["manifestId"]
        has = {sent.route for sent in self.sent[job_run_id] if sent.id == id_}
        wanted = self._routes_of(json.loads(self.bodies[id_])["data"])
        if self._was_dropped(job_run_id, 0):
            wanted -= {ALL.name}
        if wanted - has:
            self.breach(f"LOST: {job_run_id}: {id_} was not sent to {', '.join(wanted - has)}")

    def check_end(self) -> None:
        """The world is quiet: everybody must have a manifest, and nothing may be left to do."""
        for each in self.lost():
            self.breach(f"LOST: {each.deed} of {each.job_run_id} at {each.began:.1f} s")
        for job_run_id, record in self.records.items():
            if record["stage"] != Stage.DELIVERED:
                self.breach(f"{job_run_id} is {record['stage']} for ever")
            else:
                self._check_last_manifest(job_run_id, record)
        for job_run_id, record in self.records.items():
            if record.get("discovered") and self._is_removed(job_run_id):
                self.breach(f"{job_run_id} was removed and is back")
        for job_run_id in self.to_discover:
            if not self.sent[job_run_id] and not self.was_forgotten(job_run_id):
                self.breach(f"LOST: {job_run_id} was in GEM's list")
        if left := [name for name in self.worklist.names() if name.startswith(MARKER_PREFIX)]:
            self.breach(f"the worklist still has {', '.join(left)}")
