"""The file that the Functions host loads: `gem_core/functions.py`, or why it cannot be loaded.

Edge. The host finds no function in an app that raises an error when it is loaded. It then answers
every request with 404, and no log shows the error. So `health` is served in any case.
"""

import json
import logging

import azure.functions as func


def _load() -> func.FunctionApp:
    try:
        from gem_core.functions import app as whole  # noqa: PLC0415 - it may raise any error
    except Exception as error:  # noqa: BLE001 - as above; `health` answers with it
        return _only_health(error)
    return whole


def _only_health(error: Exception) -> func.FunctionApp:
    """An app that says on its route `health` that it could not be loaded.

    Nothing of `gem_core` is used here, because it may be what cannot be loaded. The answer has the
    type of the error. The error's text may contain anything, so it is only in the log.
    """
    kind = type(error).__name__

    def write_log() -> None:
        line = json.dumps({"event": "app_not_loaded", "reason": kind})
        logging.getLogger("gem_core").error(line, exc_info=error)

    write_log()
    broken = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @broken.route("health", methods=["GET", "HEAD"])
    def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the binding needs it
        write_log()  # the host keeps only lines that are written during a call
        return func.HttpResponse(
            json.dumps({"status": "not loaded", "error": kind}),
            status_code=503,
            mimetype="application/json",
        )

    return broken


app = _load()
