"""Builds the parts that a delivery needs. Edge: imports pyarrow at the first call."""

from functools import cache, partial
from typing import TYPE_CHECKING

from gem_core.settings.app_settings import InputCompare, QueueEncoding, Settings
from gem_core.storage.clients import connector
from gem_core.wiring.environment import now, settings
from gem_core.wiring.gem import gem
from gem_core.wiring.stores import stores

if TYPE_CHECKING:
    from gem_core.flows.deliverer import Deliverer, MakePage


@cache
def deliverer() -> "Deliverer":
    """The parts that a delivery needs. Raises SettingsError."""
    from gem_core.audit.audit import audit
    from gem_core.audit.options import AuditOptions, IdLimits
    from gem_core.audit.reading.output_files import OutputFiles
    from gem_core.deliver.attempts import Attempts
    from gem_core.flows.deliverer import Deliverer
    from gem_core.storage.names import OUTBOX

    chosen, state = settings(), stores()
    options = AuditOptions(
        IdLimits(chosen.ids_memory_bytes, chosen.ids_folder),
        with_input=chosen.input_audit,
        with_values=chosen.input_compare is InputCompare.COLUMNS,
    )
    return Deliverer(
        registry=state.registry,
        outbox=state.outbox,
        attempts=Attempts(state.documents(OUTBOX)),
        queue=state.results_queue(
            chosen.results_queue,
            base64=chosen.results_queue_encoding is QueueEncoding.BASE64,
        ),
        files=OutputFiles(
            chosen.output.blob_service_uri or "",
            chosen.output_container,
            connect=connector(chosen.output),
        ),
        job_url=gem().job_url,
        output_grace=chosen.output_grace,
        input_audit=chosen.input_audit,
        audit=partial(audit, options=options),
        clock=now,
        make_page=_page_maker(chosen),
    )


def _page_maker(chosen: Settings) -> "MakePage | None":
    if not chosen.report_page:
        return None
    from gem_core.page.make import make_page

    return partial(make_page, with_map=chosen.report_map)
