"""Where log records go: standard error, with time and the function that wrote them. Edge."""

import logging
import sys
from collections.abc import Callable


def set_up_logs(current_function: Callable[[], str], *, quiet: bool) -> None:
    """Send all records of level INFO and above to standard error; of WARNING when `quiet`.

    The Azure libraries and the worker library speak only from WARNING on: they log each request.
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
