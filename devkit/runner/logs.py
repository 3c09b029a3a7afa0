"""Writes log records to standard error, with the time and the function. Edge."""

import logging
import sys
from collections.abc import Callable

_WORKERS_OWN = "azure.functions"
"""The logger of the worker library. The host takes its lines without an invocation too."""


def set_up_logs(current_function: Callable[[], str], *, quiet: bool) -> None:
    """Write records of level INFO and above to standard error; with `quiet` of WARNING and above.

    A record without a function is dropped, as by the host, and a line says so. The Azure libraries
    log each request at INFO, so they are always limited to WARNING.
    """

    def add_function(record: logging.LogRecord) -> logging.LogRecord:
        is_own = record.name.startswith(_WORKERS_OWN)
        function = current_function() or ("worker" if is_own else "")
        if not function:
            record = _dropped(record)
            function = "runner"
        record.function = function
        return record

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(add_function)
    handler.setFormatter(
        logging.Formatter(
            "{asctime}.{msecs:03.0f} {levelname:7} [{function}] {message}", "%H:%M:%S", style="{"
        )
    )
    logging.basicConfig(
        level=logging.WARNING if quiet else logging.INFO, handlers=[handler], force=True
    )
    logging.getLogger("azure").setLevel(logging.WARNING)


def _dropped(record: logging.LogRecord) -> logging.LogRecord:
    text = "A line of %s is dropped, as in the host: the thread %s belongs to no invocation"
    return logging.LogRecord(
        __name__, logging.WARNING, "", 0, text, (record.name, record.threadName), None
    )
