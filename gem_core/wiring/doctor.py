"""Builds what the doctor looks at, from settings that may be wrong. Edge.

Its clients give up early, since somebody waits for the answer.
"""

from functools import cache
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

from gem_core.audit.reading.output_files import OutputFiles
from gem_core.deliver.outbox import Outbox
from gem_core.deliver.poison_queue import PoisonQueue
from gem_core.deliver.queue_probe import QueueProbe
from gem_core.doctor.installation import Installation
from gem_core.errors import RecordUnreadable
from gem_core.flows.manage_jobs import JobManager
from gem_core.gem.token import FixedToken, TokenSource
from gem_core.secret import Secret
from gem_core.storage.blob_documents import BlobDocuments
from gem_core.storage.clients import blob_service, connector, queue_service
from gem_core.storage.names import JOBS, OUTBOX, POISON_QUEUES, REPORTS, TICKETS, WORKLIST
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.record import JobRecord
from gem_core.watch.registry import JobRegistry
from gem_core.wiring.edges import now, policy, survey
from gem_core.wiring.gem import gem_client, token_source

RECENT = 20
"""Records that are read to see what the app has done lately."""
_NOBODY = Secret("gem-courier-doctor")
"""What a stranger shows as key and token."""


def installation(source: str) -> Installation:
    """The installation that the settings of this process describe; `source` says where they are."""
    chosen, problems = survey()

    @cache
    def documents(container: str) -> BlobDocuments:
        service = blob_service(chosen.state, chosen.state.blob_service_uri or "", impatient=True)
        return BlobDocuments(service.get_container_client(container))

    @cache
    def registry() -> JobRegistry:
        return JobRegistry(
            jobs=documents(JOBS), worklist=documents(WORKLIST), tickets=documents(TICKETS)
        )

    def queue(name: str) -> QueueProbe:
        return QueueProbe(queue_service(chosen.state, impatient=True).get_queue_client(name))

    def poison() -> tuple[PoisonQueue, ...]:
        queues = queue_service(chosen.state, impatient=True)
        return tuple(PoisonQueue(queues.get_queue_client(name)) for name in POISON_QUEUES)

    def manager() -> JobManager:
        return JobManager(
            registry=registry(),
            outbox=Outbox(events=documents(OUTBOX), reports=documents(REPORTS)),
            heartbeat=Heartbeat(documents(WORKLIST)),
            policy=policy(chosen),
            schedule=chosen.check_schedule,
            clock=now,
        )

    def scratch() -> int:
        with TemporaryDirectory(prefix="gem-ids-", dir=chosen.ids_folder) as folder:
            Path(folder, "probe").write_bytes(b"doctor")
            return disk_usage(folder).free

    @cache
    def token() -> TokenSource:
        return token_source(chosen)

    return Installation(
        settings=chosen,
        problems=problems,
        source=source,
        clock=now,
        documents=documents,
        queue=queue,
        poison=poison,
        files=lambda: OutputFiles(
            chosen.output.blob_service_uri or "",
            chosen.output_container,
            connect=connector(chosen.output, impatient=True),
        ),
        scratch=scratch,
        token=token,
        gem=lambda: gem_client(chosen, key=chosen.gem_api_key, token=token()),
        anonymous=lambda: gem_client(chosen, key=_NOBODY, token=FixedToken(_NOBODY)),
        manager=manager,
        recent=cache(lambda: _recent(registry())),
    )


def _recent(registry: JobRegistry) -> tuple[JobRecord, ...]:
    """The records that were written last and can be read, the newest first."""
    found = []
    for job_run_id in registry.newest(RECENT):
        try:
            stored = registry.get(job_run_id)
        except RecordUnreadable:
            continue
        if stored:
            found.append(stored.record)
    return tuple(found)
