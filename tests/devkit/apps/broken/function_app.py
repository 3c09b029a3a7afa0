"""An app that cannot be loaded, because what it needs raises."""

import azure.functions as func

app = func.FunctionApp()


def prepare() -> None:
    """Stand for any start of an app that goes wrong."""
    raise RuntimeError("this app is broken on purpose")


prepare()
