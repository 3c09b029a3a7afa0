"""Builds the edges from the settings, once a process. The only place that reads the environment.

The libraries behind the edges are slow to import, so each is imported where it is first needed: the
host indexes the app without them, and a tick never pays for pyarrow.
"""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from random import SystemRandom
from typing import TYPE_CHECKING

from gem_core.deliver.outbox import Outbox
from gem_core.errors import OutputRefused, SettingsError
from gem_core.flows.checker import Checker, in_threads
from gem_core.flows.manage_jobs import JobManager
from gem_core.flows.replay_poison import PoisonManager
from gem_core.settings.app_settings import (
    InputCompare,
    QueueEncoding,
    Settings,
    StateSettings,
    read_settings,
    read_state_settings,
    survey_settings,
)
from gem_core.settings.connection_reader import read_connection
from gem_core.settings.reader import SettingReader
from gem_core.storage.clients import (
    blob_service,
    blob_service_at,
    connector,
    queue_service,
)
from gem_core.storage.names import (
    BATCHES,
    JOBS,
    OUTBOX,
    POISON_QUEUES,
    REPORTS,
    TICKETS,
    WORKLIST,
)
from gem_core.watch.batch import plan
from gem_core.watch.durations import DurationBook
from gem_core.watch.heartbeat import Heartbeat
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.registry import JobRegistry
from gem_core.watch.schedule import Policy
from gem_core.wiring.gem import gem_client, token_source

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueClient

    from gem_core.audit.reading.address import BlobAddress
    from gem_core.audit.reading.source import Source
    from gem_core.deliver.poison_queue import PoisonQueue
    from gem_core.deliver.results_queue import ResultsQueue
    from gem_core.flows.deliverer import Deliverer, MakePage
    from gem_core.gem.client import GemClient
    from gem_core.storage.blob_documents import BlobDocuments
    from gem_core.watch.batch_queue import BatchQueue


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def use_settings(values: Mapping[str, str]) -> None:
    """Take the settings from elsewhere, before anything is built: none of ours stays as it was."""
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        del os.environ[name]
    os.environ.update(values)


@cache
def settings() -> Settings:
    """The app settings of this process. Raises SettingsError, naming all that is wrong."""
    return read_settings(os.environ)


def survey() -> tuple[Settings, tuple[str, ...]]:
    """The app settings of this process, and what is wrong with them."""
    return survey_settings(os.environ)


@cache
def checker() -> Checker:
    """The edges of a tick."""
    chosen = settings()
    rate = chosen.check_requests_per_second
    batches = plan(chosen.check_batch_size, rate) if chosen.check_batch_size else None
    return Checker(
        registry=_registry(),
        heartbeat=_heartbeat(),
        gem=_gem(),
        policy=policy(chosen),
        limiter=RateLimiter(
            _documents(WORKLIST),
            count=batches.concurrency if batches else 1,
            per_second=rate,
            watch=SleepClock(now, time.sleep),
            random=SystemRandom().random,
        ),
        clock=now,
        jitter=SystemRandom().random,
        poison=_poison_queues(),
        each=in_threads(chosen.check_concurrency),
        durations=DurationBook(_documents(WORKLIST)),
        batches=_batch_queue() if batches else None,
        plan=batches,
    )


def manager() -> JobManager:
    """The edges of the HTTP routes. Raises SettingsError unless all settings are right."""
    settings()
    return state_manager()


@cache
def state_settings() -> StateSettings:
    """The part of the settings that is about our own state. Raises SettingsError."""
    return read_state_settings(os.environ)


@cache
def state_manager() -> JobManager:
    """A desk for somebody who has our own state, and neither GEM's key nor the outputs."""
    chosen = state_settings()
    return JobManager(
        registry=_registry(),
        outbox=_outbox(),
        heartbeat=_heartbeat(),
        policy=policy(chosen),
        schedule=chosen.check_schedule,
        clock=now,
    )


@cache
def poison_manager() -> PoisonManager:
    """The same desk, with the queues of failed messages."""
    return PoisonManager(state_manager(), _poison_queues(), TICKETS)


@cache
def deliverer() -> "Deliverer":
    """The edges of a delivery. Imports pyarrow."""
    from gem_core.audit.audit import AuditOptions, audit
    from gem_core.audit.ids.facts import IdLimits
    from gem_core.audit.reading.output_files import OutputFiles
    from gem_core.deliver.attempts import Attempts
    from gem_core.flows.deliverer import Deliverer

    chosen = settings()
    options = AuditOptions(
        IdLimits(chosen.ids_memory_bytes, chosen.ids_folder),
        with_values=chosen.input_compare is InputCompare.COLUMNS,
    )
    return Deliverer(
        registry=_registry(),
        outbox=_outbox(),
        attempts=Attempts(_documents(OUTBOX)),
        queue=_results_queue(),
        files=OutputFiles(
            chosen.output.blob_service_uri or "",
            chosen.output_container,
            connect=connector(chosen.output),
        ),
        job_url=_gem().job_url,
        output_grace=chosen.output_grace,
        input_audit=chosen.input_audit,
        audit=partial(audit, options=options),
        clock=now,
        make_page=_page_maker(chosen),
    )


def open_address(address: "BlobAddress") -> "Source":
    """The blob at an address that a person gave, pinned to its present version.

    Raises:
        OutputError: there is none, it may not be read, or there is no answer.
        SettingsError: GEM_OUTPUT is needed for it, and is wrong.

    """
    from gem_core.audit.reading.blob_source import open_blob

    container = _account(address).get_container_client(address.container)
    return open_blob(container, address.name)


def _account(address: "BlobAddress") -> "BlobServiceClient":
    if address.signature or not address.local:
        return blob_service_at(address.account, address.signature)
    read = SettingReader(os.environ)
    output = read_connection(read, "GEM_OUTPUT", queues=False)
    if read.problems:
        raise SettingsError(tuple(read.problems))
    account = blob_service(output, output.blob_service_uri or "")
    if account.url.rstrip("/") != address.account:
        raise OutputRefused(f"{address.url} is not in the storage of GEM_OUTPUT, {account.url}")
    return account


def _page_maker(chosen: Settings) -> "MakePage | None":
    if not chosen.report_page:
        return None
    from gem_core.page.make import make_page

    return partial(make_page, with_map=chosen.report_map)


def _results_queue() -> "ResultsQueue":
    from gem_core.deliver.results_queue import ResultsQueue

    chosen = settings()
    is_base64 = chosen.results_queue_encoding is QueueEncoding.BASE64
    return ResultsQueue(_queue(chosen.results_queue, base64=is_base64))


def _batch_queue() -> "BatchQueue":
    from gem_core.watch.batch_queue import BatchQueue

    return BatchQueue(_queue(BATCHES, base64=True))


def _queue(name: str, *, base64: bool) -> "QueueClient":
    from azure.storage.queue import TextBase64EncodePolicy

    policy = TextBase64EncodePolicy() if base64 else None
    return queue_service(settings().state).get_queue_client(name, message_encode_policy=policy)


@cache
def _gem() -> "GemClient":
    chosen = settings()
    return gem_client(chosen, key=chosen.gem_api_key, token=token_source(chosen))


def policy(chosen: StateSettings) -> Policy:
    """The operator's limits."""
    return Policy(
        check_min=chosen.check_min,
        check_max=chosen.check_max,
        job_deadline=chosen.job_deadline,
        lost_after=chosen.lost_after,
        redeliver_after=chosen.redeliver_after,
    )


def _poison_queues() -> "tuple[PoisonQueue, ...]":
    from gem_core.deliver.poison_queue import PoisonQueue

    queues = queue_service(state_settings().state)
    return tuple(PoisonQueue(queues.get_queue_client(name)) for name in POISON_QUEUES)


@cache
def _registry() -> JobRegistry:
    return JobRegistry(
        jobs=_documents(JOBS), worklist=_documents(WORKLIST), tickets=_documents(TICKETS)
    )


@cache
def _heartbeat() -> Heartbeat:
    return Heartbeat(_documents(WORKLIST))


@cache
def _outbox() -> Outbox:
    return Outbox(events=_documents(OUTBOX), reports=_documents(REPORTS))


def _documents(container: str) -> "BlobDocuments":
    from gem_core.storage.blob_documents import BlobDocuments

    state = state_settings().state
    return BlobDocuments(
        blob_service(state, state.blob_service_uri or "").get_container_client(container)
    )
