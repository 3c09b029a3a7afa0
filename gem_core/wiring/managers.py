"""Builds the managers of jobs and poison messages, for HTTP endpoints and commands. Edge."""

from gem_core.flows.manage_jobs import JobManager
from gem_core.once import Once
from gem_core.settings.app_settings import StateSettings
from gem_core.storage.clients import Retries
from gem_core.watch.schedule import Policy
from gem_core.wiring.environment import settings, state_settings
from gem_core.wiring.stores import Stores, stores


def manager() -> JobManager:
    """The manager for the HTTP endpoints. Raises SettingsError unless all settings are valid."""
    settings()
    return state_manager()


@Once
def state_manager() -> JobManager:
    """The manager for the commands. It needs only the settings of the state storage."""
    return job_manager(stores(), state_settings())


@Once
def probe_manager() -> JobManager:
    """The manager for health and status. Its storage requests end soon; use it for reading only.

    Raises SettingsError unless all settings are valid.
    """
    settings()
    chosen = state_settings()
    return job_manager(Stores(chosen.state, Retries.PROBE), chosen)


@Once
def desk_manager() -> JobManager:
    """The manager for a person who waits for a page; it needs what `state_manager` needs."""
    chosen = state_settings()
    return job_manager(Stores(chosen.state, Retries.INTERACTIVE), chosen)


def job_manager(state: Stores, chosen: StateSettings) -> JobManager:
    """A manager of the jobs in these stores."""
    return JobManager(
        registry=state.registry,
        outbox=state.outbox,
        heartbeat=state.heartbeat,
        policy=policy(chosen),
        schedule=chosen.check_schedule,
        clock=state.now,
        routes=chosen.routes,
        poison=state.poison_queues,
    )


def policy(chosen: StateSettings) -> Policy:
    """The operator's intervals and deadlines."""
    return Policy(
        check_min=chosen.check_min,
        check_max=chosen.check_max,
        job_deadline=chosen.job_deadline,
        lost_after=chosen.lost_after,
        repeat_ticket_after=chosen.repeat_ticket_after,
    )
