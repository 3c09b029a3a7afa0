"""Guards all log records of this process, whatever logs them and whatever handles them.

Each record passes through the factory here before any handler sees it, those of the host and those
that are added later too.
"""

import logging

from gem_core.failure import chain
from gem_core.redaction import redacted

LIBRARIES = (
    *("azure.core", "azure.identity", "azure.storage"),
    *("msal", "msal_extensions", "requests", "urllib3"),
)
"""All that meet a server. Below ERROR they log addresses, headers and answers. `azure.functions` is
not one of them: it is the worker itself, and support reads its lines."""


def guard_logs() -> None:
    """Let no record hold a secret or the traceback of an error; limit the libraries to ERROR."""
    logging.setLogRecordFactory(_guarded)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.ERROR)


def _guarded(*args: object, **options: object) -> logging.LogRecord:
    record = logging.LogRecord(*args, **options)  # type: ignore[arg-type] # passed on unchanged
    try:
        message = record.getMessage()
    except Exception as error:  # noqa: BLE001 - logging would print the arguments
        message = f"a log line that cannot be formatted: {type(error).__name__}"
    record.msg, record.args = redacted(message), None
    if record.exc_info and record.exc_info[1]:
        record.exc_text = chain(record.exc_info[1])  # a formatter shows this as the traceback
    record.exc_info = None
    return record
