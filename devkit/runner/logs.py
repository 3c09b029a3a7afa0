"""Writes log records to standard error, with the time and the function. Edge."""

import logging
import sys
from collections.abc import Callable


def set_up_logs(current_function: Callable[[], str], *, quiet: bool) -> None:
    """Write records of level INFO and above to standard error; with `quiet` of WARNING and above.

    The Azure libraries log each request at INFO, so they are always limited to WARNING.
    """

    def add_function(record: logging.LogRecord) -> bool:
        record.function = current_function() or "runner"
        return True

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
