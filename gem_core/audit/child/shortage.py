"""Whether an audit lacked memory, which says nothing about the file. Pure.

pyarrow's readers report a failed allocation like broken data, in words that depend on where it
failed. A file that brings these words about by itself is reported as not audited, which is true.
"""

import re

from gem_core.audit.judging.facts import Facts
from gem_core.audit.parquet.opened_file import Fault

_WORDS = re.compile(
    r"\b(?:malloc|realloc|calloc|mmap) of size\b|\bbad_alloc\b|\bunable to allocate\b"
    r"|\bcannot allocate memory\b|\bout of memory\b|\bMemoryError\b|\bcan't start new thread\b",
    re.IGNORECASE,
)


def memory_shortage(facts: Facts) -> str:
    """What says that memory was short, or empty."""
    said = (
        facts.data_fault,
        facts.file.detail if isinstance(facts.file, Fault) else "",
        facts.ids_fault,
        facts.ids.not_compared if facts.ids else "",
        facts.input.note,
        facts.values.stopped if facts.values else "",
    )
    return next(filter(is_shortage, said), "")


def is_shortage(text: str) -> bool:
    """Whether the text of an error says that memory was short."""
    return bool(_WORDS.search(text))
