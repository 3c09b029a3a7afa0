"""One function of each kind. Each call writes a blob into a container of its own."""

import contextlib
import json
import logging
import os
import sys
import threading
import time
import uuid
from pathlib import Path

import azure.functions as func
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.timer_trigger(arg_name="timer", schedule="%TICK_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    """Write down the run."""
    _write_call("tick", past_due=timer.past_due, status=getattr(timer, "schedule_status", {}))


@app.blob_trigger(arg_name="blob", path="%INBOX%/{name}.txt", connection="DATA")
def receive(blob: func.InputStream) -> None:
    """Write down the blob; hang, fail or die when its text says so, "die once" only once."""
    text = blob.read().decode()
    _write_call("receive", name=blob.name, text=text, length=blob.length)
    if text == "fail":
        raise ValueError("this blob is bad")
    deadly = _blobs().get_blob_client("die")
    if text.startswith("die") and deadly.exists():
        if text == "die once":
            deadly.delete_blob()
        os.abort()
    while text == "hang" and _blobs().get_blob_client("hang").exists():
        time.sleep(0.05)


@app.queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="DATA")
def take(message: func.QueueMessage) -> None:
    """Write down the message; fail when it says so."""
    text = message.get_body().decode()
    inserted = message.insertion_time
    _write_call("take", text=text, tries=message.dequeue_count, dated=inserted is not None)
    if text == "fail":
        raise ValueError("this message is bad")


@app.route(route="things/{thing}", methods=["GET", "PUT"])
def thing(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with the request."""
    asked = "asked for %s", req.route_params["thing"]
    logging.getLogger("plain").info(*asked)
    own = threading.Thread(target=logging.getLogger("of.a.thread").info, args=asked, name="own")
    own.start()
    own.join()
    shown = {
        "thing": req.route_params["thing"],
        "query": dict(req.params),
        "method": req.method,
        "body": req.get_body().hex(),
        "url": req.url,
        "header": req.headers.get("X-Given"),
        "main": "__main__" in sys.modules,
        "folder": str(Path.cwd()),
        "thread": threading.current_thread().name,
    }
    return func.HttpResponse(
        json.dumps(shown), status_code=202, headers={"X-Own": "yes"}, mimetype="application/json"
    )


@app.route(route="things/fixed", auth_level=func.AuthLevel.ANONYMOUS)
def fixed(req: func.HttpRequest) -> str:
    """Answer with a text, without a key."""
    return f"fixed {req.method}"


@app.route(route="secret", auth_level=func.AuthLevel.ADMIN, methods=["GET"])
def secret(req: func.HttpRequest) -> func.HttpResponse:
    """Fail, for whoever has the master key."""
    raise RuntimeError(req.method)


def _write_call(function: str, **facts: object) -> None:
    """One blob per call, so that calls can be counted."""
    _blobs().upload_blob(f"{function}/{uuid.uuid4()}", json.dumps(facts))


def _blobs() -> ContainerClient:
    container = ContainerClient.from_connection_string(os.environ["DATA"], os.environ["CALLS"])
    with contextlib.suppress(ResourceExistsError):
        container.create_container()
    return container
