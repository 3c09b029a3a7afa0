"""The Functions app: triggers and bindings. What they do is in gem_core.flows.

Edge. function_app.py loads this module.
"""

from pathlib import Path

import azure.functions as func

from gem_core.counts import read_count
from gem_core.failure import in_own_words
from gem_core.flows import check_batch as batching
from gem_core.flows import check_jobs as checking
from gem_core.flows import in_bulk, job_query
from gem_core.flows import list_jobs as listing
from gem_core.flows import manage_jobs as managing
from gem_core.flows import replay_poison as replaying
from gem_core.flows.change_labels import change_labels
from gem_core.flows.find_trouble import find_trouble
from gem_core.flows.job_documents import JobDocument
from gem_core.host_http import (
    ROUTE,
    answer,
    body_of,
    document,
    job_run_id_of,
    managed,
    no_body,
    respond_to,
    route_of,
)
from gem_core.log_guard import guard_logs
from gem_core.settings.app_settings import MAX_BATCH_SIZE
from gem_core.storage import names
from gem_core.web import HttpResponse, document_response, json_response, respond
from gem_core.wiring import delivery, managers, tick
from gem_core.wiring.environment import system_environment
from gem_core.wiring.probe import probe

guard_logs()

OPENAPI = Path(__file__).with_name("openapi.json")


def _trigger_source(text: str) -> func.BlobSource:
    """The trigger source for a setting. An invalid value is reported later, with all settings."""
    sources = {source.value.lower(): source for source in func.BlobSource}
    return sources.get(text.lower(), func.BlobSource.EVENT_GRID)


def _sends_batches(text: str) -> bool:
    """Whether ticks send batches. An invalid value is reported later, with all settings."""
    try:
        return read_count(text.strip(), most=MAX_BATCH_SIZE) > 0
    except ValueError:
        return False


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger(schedule="%GEM_CHECK_SCHEDULE%", arg_name="timer", use_monitor=True)
def check_jobs(timer: func.TimerRequest) -> None:
    """Ask GEM about every job that is due; raise the ticket of each job that has ended."""
    in_own_words(lambda: checking.check_jobs(tick.checker(), past_due=timer.past_due))


@app.route("tick", methods=["POST"])
def run_tick(req: func.HttpRequest) -> func.HttpResponse:
    """Run a tick from outside: for a scheduler, while the timer of the platform is dead."""

    def handler() -> tuple[int, object]:
        return 200, checking.check_jobs(tick.checker(), budget=checking.REQUEST_BUDGET).to_json()

    return respond_to(req, handler)


# The host ends when the queue of a trigger refuses or does not answer (decision 106). So without
# batches nothing listens.
if _sends_batches(system_environment().get("GEM_CHECK_BATCH_SIZE", "")):

    @app.queue_trigger(arg_name="batch", queue_name=names.BATCHES, connection="GEM_STATE")
    def check_batch(batch: func.QueueMessage) -> None:
        """Ask GEM about the jobs of a batch."""
        in_own_words(lambda: batching.check_batch(tick.checker(), batch.get_body()))


@app.blob_trigger(
    arg_name="ticket",
    path=f"{names.TICKETS}/{{jobRunId}}.json",
    connection="GEM_STATE",
    # The source is part of the binding, so it is read when the host indexes the app.
    source=_trigger_source(system_environment().get("GEM_TRIGGER_SOURCE", "")),
)
def deliver_results(ticket: func.InputStream) -> None:
    """Audit the output of a settled job and send its manifest."""
    from gem_core.flows import deliver_results as delivering  # noqa: PLC0415 - slow to import

    name = ticket.name or ""
    in_own_words(lambda: delivering.deliver_ticket(delivery.deliverer(), name))


@app.route("jobs/{jobRunId}", methods=["PUT"])
def register_job(req: func.HttpRequest) -> func.HttpResponse:
    """Watch a job from now on: 201 when it is new, 200 when it was registered before."""

    def handler() -> HttpResponse:
        job_run_id = job_run_id_of(req)
        new, record = managing.register_job(managers.manager(), job_run_id, body_of(req))
        location = {"Location": f"/api/jobs/{job_run_id}"} if new else {}
        return json_response(201 if new else 200, record, location)

    return answer(req, handler)


@app.route("jobs/{jobRunId}", methods=["PATCH"])
def change_job(req: func.HttpRequest) -> func.HttpResponse:
    """Change the labels of a job that is still being watched."""
    return managed(req, lambda jobs: change_labels(jobs, job_run_id_of(req), body_of(req)))


@app.route("jobs", methods=["POST"])
def register_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """Register several jobs; each has a result of its own."""
    return managed(req, lambda jobs: in_bulk.register_jobs(jobs, body_of(req)))


@app.route("redeliver", methods=["POST"])
def redeliver_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """Deliver the jobs again whose manifests have an outcome; each has a result of its own."""
    return managed(
        req, lambda jobs: in_bulk.redeliver_jobs(jobs, body_of(req), route_of(req)), words={ROUTE}
    )


@app.route("jobs", methods=["GET"])
def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """List one page of all jobs."""
    return managed(req, lambda jobs: listing.list_jobs(jobs, req.params), words=job_query.WORDS)


@app.route("trouble", methods=["GET"])
def list_trouble(req: func.HttpRequest) -> func.HttpResponse:
    """List the open jobs that need attention."""
    return managed(req, lambda jobs: {"jobs": find_trouble(jobs)})


@app.route("poison", methods=["GET"])
def list_poison(req: func.HttpRequest) -> func.HttpResponse:
    """List the messages on the poison queues."""
    return managed(req, replaying.list_poison)


@app.route("poison/replay", methods=["POST"])
def replay_poison(req: func.HttpRequest) -> func.HttpResponse:
    """Raise the tickets of the messages on the poison queues again, and delete the messages."""
    return managed(req, lambda jobs: {"messages": list(replaying.replay_poison(jobs))})


@app.route("jobs/{jobRunId}", methods=["GET"])
def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """Show the record of a job."""
    return managed(req, lambda jobs: managing.show_job(jobs, job_run_id_of(req)))


@app.route("jobs/{jobRunId}/manifest", methods=["GET"])
def show_manifest(req: func.HttpRequest) -> func.HttpResponse:
    """Show the last manifest of a job, exactly as it was sent."""
    return document(req, JobDocument.MANIFEST, "application/cloudevents+json")


@app.route("jobs/{jobRunId}/report", methods=["GET"])
def show_report(req: func.HttpRequest) -> func.HttpResponse:
    """Show the whole report of the last manifest, as JSON."""
    return document(req, JobDocument.REPORT, "application/json")


@app.route("jobs/{jobRunId}/report.html", methods=["GET"])
def show_report_page(req: func.HttpRequest) -> func.HttpResponse:
    """Show the report of the last manifest as an HTML page."""
    return document(req, JobDocument.PAGE, "text/html")


@app.route("jobs/{jobRunId}/check", methods=["POST"])
def check_job(req: func.HttpRequest) -> func.HttpResponse:
    """Ask GEM about a job now, even if it is not due."""
    return managed(req, lambda jobs: managing.check_job(jobs, tick.checker(), job_run_id_of(req)))


@app.route("jobs/{jobRunId}/redeliver", methods=["POST"])
def redeliver_job(req: func.HttpRequest) -> func.HttpResponse:
    """Deliver a settled job again, or send its last manifest to one route again."""

    def redeliver(jobs: managing.JobManager) -> object:
        no_body(req)
        return managing.redeliver_job(jobs, job_run_id_of(req), route_of(req))

    return managed(req, redeliver, status=202, words={ROUTE})


@app.route("jobs/{jobRunId}", methods=["DELETE"])
def forget_job(req: func.HttpRequest) -> func.HttpResponse:
    """Stop watching a job and delete its record."""
    return managed(req, lambda jobs: managing.forget_job(jobs, job_run_id_of(req)), status=204)


@app.route("status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:
    """Report whether the timer works, and what the last tick did: 503 when it does not work."""

    def handler() -> tuple[int, object]:
        works, detail = probe()
        return (200 if works else 503), detail

    return respond_to(req, handler)


@app.route("doctor", methods=["POST"])
def doctor(req: func.HttpRequest) -> func.HttpResponse:
    """Test everything that the app needs, with the app's own rights: 503 when a test fails."""
    from gem_core.doctor.diagnostics import report, run_diagnostics  # noqa: PLC0415 - imports azure
    from gem_core.wiring.doctor import installation  # noqa: PLC0415 - as above

    def handler() -> tuple[int, object]:
        found = report(run_diagnostics(installation("the app settings")))
        return (200 if found["ok"] else 503), found

    return respond_to(req, handler)


@app.route("openapi.json", methods=["GET"])
def show_openapi(req: func.HttpRequest) -> func.HttpResponse:
    """Show the OpenAPI document of these endpoints."""
    return answer(req, lambda: document_response(OPENAPI.read_bytes(), "application/json"))


@app.route("health", methods=["GET", "HEAD"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """Report whether the timer works, without details: this endpoint needs no key."""
    response = respond(lambda: (200 if probe()[0] else 503, {}))
    works = response.status == 200  # noqa: PLR2004 - OK
    return func.HttpResponse(
        '{"status": "ok"}' if works else '{"status": "unhealthy"}',
        status_code=200 if works else 503,
        mimetype="application/json",
    )
