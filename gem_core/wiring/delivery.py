"""Builds the parts that a delivery needs. Edge: processes, clock."""

import atexit
import time
from functools import partial
from typing import TYPE_CHECKING

from gem_core.once import Once
from gem_core.settings.app_settings import InputCompare, Settings
from gem_core.storage.clients import connector
from gem_core.wiring.environment import settings, system_environment
from gem_core.wiring.gem import gem, own_heartbeat
from gem_core.wiring.managers import policy
from gem_core.wiring.overture import release_finder
from gem_core.wiring.stores import stores

if TYPE_CHECKING:
    from gem_core.audit.child.engine import Engine
    from gem_core.flows.deliverer import Deliverer, PageMode


@Once
def deliverer() -> "Deliverer":
    """The parts that a delivery needs. Raises SettingsError."""
    from gem_core.audit.options import AuditOptions, IdLimits, OvertureLimits
    from gem_core.audit.reading.output_files import OutputFiles
    from gem_core.flows.deliverer import Deliverer

    chosen, state = settings(), stores()
    options = AuditOptions(
        IdLimits(chosen.ids_memory_bytes, chosen.ids_folder, chosen.ids_disk_bytes),
        with_input=chosen.input_audit,
        with_values=chosen.input_compare is InputCompare.COLUMNS,
        overture=OvertureLimits(chosen.overture_max_bytes) if chosen.overture else None,
        failing_rows=chosen.failing_rows,
    )
    return Deliverer(
        registry=state.registry,
        heartbeat=own_heartbeat(),
        outbox=state.outbox,
        routes=chosen.routes,
        queues={
            route.name: state.results_queue(route.queue, chosen.results_queue_encoding)
            for route in chosen.routes
        },
        files=OutputFiles(
            chosen.output.blob_service_uri or "",
            chosen.output_container,
            connect=connector(chosen.output),
        ),
        job_url=gem().job_url,
        output_grace=chosen.output_grace,
        input_audit=chosen.input_audit,
        audit=partial(_engine().audit, options=options),
        report_not_opened=_engine().not_opened,
        policy=policy(chosen),
        clock=state.now,
        sleep=time.sleep,
        page=_page_mode(chosen),
        page_url=chosen.report_page_url,
        find_release=release_finder(chosen.overture),
    )


@Once
def _engine() -> "Engine":
    """The audits of this process; its child ends with it."""
    from gem_core.audit.child.engine import Engine
    from gem_core.audit.child.limits import Limits
    from gem_core.audit.child.machine import audit_bytes

    engine = Engine(Limits(audit_bytes(settings().ids_memory_bytes)), system_environment())
    atexit.register(engine.close)
    return engine


def _page_mode(chosen: Settings) -> "PageMode":
    from gem_core.flows.deliverer import PageMode

    if not chosen.report_page:
        return PageMode.NONE
    return PageMode.WITH_MAP if chosen.report_map else PageMode.PLAIN
