"""Builds the parts that the doctor tests, from settings that may be invalid. Edge.

Its clients use short time-outs and few retries, because a person waits for the answer.
"""

from concurrent.futures import Future
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryDirectory

from gem_core.audit.child.machine import memory_bytes
from gem_core.audit.reading.output_files import OutputFiles
from gem_core.deliver.queue_probe import QueueProbe
from gem_core.doctor.installation import Installation
from gem_core.errors import RecordUnreadable, StoreError
from gem_core.gem.token import FixedToken, TokenSource
from gem_core.once import Once
from gem_core.secret import Secret
from gem_core.storage.clients import Retries, connector
from gem_core.watch.record import JobRecord
from gem_core.watch.registry import JobRegistry
from gem_core.wiring.environment import now, settings_and_problems
from gem_core.wiring.gem import gem_client, ticker, token_source
from gem_core.wiring.managers import job_manager
from gem_core.wiring.overture import overture_lines
from gem_core.wiring.stores import Stores

RECENT = 20
"""Number of records that show the app's recent work."""
_INVALID = Secret("gem-courier-doctor")
"""A key and a token that GEM must not accept."""


def installation(source: str) -> Installation:
    """The installation that the settings of this process describe.

    Args:
        source: where the settings were read from, for example "the environment".

    """
    chosen, problems = settings_and_problems()
    stores = Stores(chosen.state, Retries.INTERACTIVE)

    def scratch() -> int:
        with TemporaryDirectory(prefix="gem-ids-", dir=chosen.ids_folder) as folder:
            Path(folder, "probe").write_bytes(b"doctor")
            return disk_usage(folder).free

    @Once
    def token() -> TokenSource:
        return token_source(chosen)

    @Once
    def recent() -> Future[tuple[JobRecord, ...]]:
        """A failure is kept too: each diagnostic that asks later would wait for its own time-out,
        one after the other.
        """
        found = Future[tuple[JobRecord, ...]]()
        try:
            found.set_result(_recent(stores.registry))
        except StoreError as error:
            found.set_exception(error)
        return found

    return Installation(
        settings=chosen,
        problems=problems,
        source=source,
        clock=now,
        documents=Once(stores.documents),
        queue=lambda name: QueueProbe(stores.queue(name)),
        poison=stores.poison_queues,
        files=lambda: OutputFiles(
            chosen.output.blob_service_uri or "",
            chosen.output_container,
            connect=connector(chosen.output, Retries.INTERACTIVE),
        ),
        scratch=scratch,
        memory=memory_bytes,
        token=token,
        gem=lambda: gem_client(chosen, key=chosen.gem_api_key, token=token()),
        anonymous=lambda: gem_client(chosen, key=_INVALID, token=FixedToken(_INVALID)),
        ticker=ticker(chosen),
        manager=lambda: job_manager(stores, chosen),
        overture=lambda: overture_lines(chosen.overture),
        recent=lambda: recent().result(),
    )


def _recent(registry: JobRegistry) -> tuple[JobRecord, ...]:
    """The readable records that were written most recently, newest first."""
    found = []
    for job in registry.newest(RECENT):
        try:
            stored = registry.get(job.job_run_id)
        except RecordUnreadable:
            continue
        if stored:
            found.append(stored.record)
    return tuple(found)
