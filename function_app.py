"""The Functions app: triggers and bindings; the stories are in gem_core.

Edge.
"""

import logging
import os
from collections.abc import Callable

import azure.functions as func

from gem_core import web
from gem_core.flows import check_batch as batching
from gem_core.flows import check_jobs as checking
from gem_core.flows import manage_jobs as managing
from gem_core.flows import replay_poison as replaying
from gem_core.flows.find_trouble import find_trouble
from gem_core.storage import names
from gem_core.watch.registry import ticket_job_run_id
from gem_core.wiring import delivery, managers, tick

# The Azure SDK would log two lines a request, at the level that operators want for our own events.
logging.getLogger("azure").setLevel(logging.WARNING)


def _trigger_source(text: str) -> func.BlobSource:
    """A word that is none is told with all other wrong settings, when they are first read."""
    sources = {source.value.lower(): source for source in func.BlobSource}
    return sources.get(text.lower(), func.BlobSource.EVENT_GRID)


app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger(schedule="%GEM_CHECK_SCHEDULE%", arg_name="timer", use_monitor=True)
def check_jobs(timer: func.TimerRequest) -> None:
    """Ask GEM about every job that is due; raise the tickets of those that have ended."""
    checking.check_jobs(tick.checker(), past_due=timer.past_due)


@app.queue_trigger(arg_name="batch", queue_name=names.BATCHES, connection="GEM_STATE")
def check_batch(batch: func.QueueMessage) -> None:
    """Ask GEM about jobs that a tick handed out; only with GEM_CHECK_BATCH_SIZE."""
    batching.check_batch(tick.checker(), batch.get_body())


@app.blob_trigger(
    arg_name="ticket",
    path=f"{names.TICKETS}/{{jobRunId}}.json",
    connection="GEM_STATE",
    # Part of the binding, so it is read when the app is indexed, as the host does with its own.
    source=_trigger_source(os.environ.get("GEM_TRIGGER_SOURCE", "")),
)
def deliver_results(ticket: func.InputStream) -> None:
    """Audit the output of a settled job and send its manifest."""
    from gem_core.flows import deliver_results as delivering  # noqa: PLC0415 - imports pyarrow

    delivering.deliver_results(delivery.deliverer(), ticket_job_run_id(ticket.name or ""))


@app.route("jobs/{jobRunId}", methods=["PUT"])
def register_job(req: func.HttpRequest) -> func.HttpResponse:
    """Watch a job from now on: 201 when it is new, 200 when it was known."""

    def story() -> tuple[int, object]:
        body = web.json_body(req.get_body())
        new, record = managing.register_job(managers.manager(), _job_run_id(req), body)
        return (201 if new else 200), record

    return _answer(story)


@app.route("jobs", methods=["GET"])
def list_jobs(req: func.HttpRequest) -> func.HttpResponse:
    """A page of all jobs."""
    return _answer(lambda: (200, managing.list_jobs(managers.manager(), req.params)))


@app.route("trouble", methods=["GET"])
def list_trouble(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """The open jobs that need somebody's eyes."""
    return _answer(lambda: (200, {"jobs": find_trouble(managers.manager())}))


@app.route("poison", methods=["GET"])
def list_poison(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """What lies on the queues of failed messages."""
    return _answer(lambda: (200, replaying.list_poison(managers.poison_manager())))


@app.route("poison/replay", methods=["POST"])
def replay_poison(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """Raise the tickets of failed messages again, and take the messages off."""
    return _answer(
        lambda: (200, {"messages": list(replaying.replay_poison(managers.poison_manager()))})
    )


@app.route("jobs/{jobRunId}", methods=["GET"])
def show_job(req: func.HttpRequest) -> func.HttpResponse:
    """All that is known of a job."""
    return _answer(lambda: (200, managing.show_job(managers.manager(), _job_run_id(req))))


@app.route("jobs/{jobRunId}/check", methods=["POST"])
def check_job(req: func.HttpRequest) -> func.HttpResponse:
    """Ask GEM about a job now, due or not."""
    return _answer(
        lambda: (
            200,
            managing.check_job(managers.manager(), tick.checker(), _job_run_id(req)),
        )
    )


@app.route("jobs/{jobRunId}/redeliver", methods=["POST"])
def redeliver_job(req: func.HttpRequest) -> func.HttpResponse:
    """Deliver a settled job once more, from its output as it is now."""
    return _answer(lambda: (202, managing.redeliver_job(managers.manager(), _job_run_id(req))))


@app.route("jobs/{jobRunId}", methods=["DELETE"])
def forget_job(req: func.HttpRequest) -> func.HttpResponse:
    """Stop watching a job and forget it."""

    def story() -> tuple[int, object]:
        managing.forget_job(managers.manager(), _job_run_id(req))
        return 204, None

    return _answer(story)


@app.route("status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """What the last tick did, and whether the timer lives: 503 when it has been silent."""

    def story() -> tuple[int, object]:
        alive, detail = managing.tell_status(managers.manager())
        return (200 if alive else 503), detail

    return _answer(story)


@app.route("doctor", methods=["POST"])
def doctor(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """Look at everything that the app needs, with its own rights: 503 when something fails."""
    from gem_core.doctor.diagnostics import report, run_diagnostics  # noqa: PLC0415 - imports azure
    from gem_core.wiring.doctor import installation  # noqa: PLC0415 - as above

    def story() -> tuple[int, object]:
        found = report(run_diagnostics(installation("the app settings")))
        return (200 if found["ok"] else 503), found

    return _answer(story)


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
    """Whether the timer lives, without any detail: this route needs no key."""
    answer = web.answer(lambda: (200 if managing.tell_status(managers.manager())[0] else 503, {}))
    alive = answer.status == 200  # noqa: PLR2004 - OK
    return func.HttpResponse(
        '{"status": "ok"}' if alive else '{"status": "unhealthy"}',
        status_code=200 if alive else 503,
        mimetype="application/json",
    )


def _job_run_id(req: func.HttpRequest) -> str:
    return str(req.route_params.get("jobRunId", ""))


def _answer(story: Callable[[], tuple[int, object]]) -> func.HttpResponse:
    answer = web.answer(story)
    return func.HttpResponse(answer.body, status_code=answer.status, mimetype=answer.content_type)
