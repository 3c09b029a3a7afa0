"""Opens a file that a command reads: a local one, or a blob by its address. Edge."""

import re
from pathlib import Path

from gem_core.audit.reading.address import parse_address
from gem_core.audit.reading.source import Source, open_file
from gem_core.wiring.addresses import open_address

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def open_source(text: str) -> Source:
    """The current version of a local file, or of the blob at an address.

    Raises:
        OutputError: it does not exist or cannot be read.
        SettingsError: a blob of an emulator needs GEM_OUTPUT.

    """
    return open_address(parse_address(text)) if _ADDRESS.match(text) else open_file(Path(text))
