"""A listener as a Functions app. COURIER__queueServiceUri is the address of the queue service."""

import azure.functions as func
from on_manifest import handled, on_manifest

app = func.FunctionApp()


@app.queue_trigger(arg_name="message", queue_name="%RESULTS_QUEUE%", connection="COURIER")
def manifest(message: func.QueueMessage) -> None:
    """Handle one manifest. The host has decoded the base64."""
    on_manifest(message.get_body().decode(), handled())
