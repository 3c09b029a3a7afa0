"""Columns of text, and values as text to show. Pure."""

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import valid

_SHOWN = 80
"""Characters of a value, as in the schema of the manifest."""
_ESCAPES = {chr(0xDC00 + byte): f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
_SPACE, _BEYOND_ASCII = 0x20, 0x80


def as_text(array: pa.Array) -> pa.Array:
    """A column of texts, integers or decimals as strings, which all compute functions take."""
    return array if pa.types.is_string(array.type) else array.cast(pa.string())


def readable(value: pa.Scalar, *, cut: int | None = 100) -> str | None:
    """A value as text to show, also of invalid UTF-8: its first `cut` characters, or all."""
    if not value.is_valid:
        return None
    if pa.types.is_integer(value.type) or pa.types.is_decimal(value.type):
        return str(value.as_py())
    return bytes(value.cast(pa.binary()).as_py()).decode(errors="replace")[:cut]


def escaped(value: pa.Scalar) -> str | None:
    """A value of any type as text in which everything can be seen, at most 80 characters.

    What does not print is as in Python's literals; so is the backslash. Bytes are hexadecimal, of a
    nested value only the type is shown.
    """
    if pa.types.is_dictionary(value.type):
        value = value.value
    if not value.is_valid:
        return None
    if not pa.types.is_string(value.type):
        return _cut(_other(value))
    data = bytes(value.cast(pa.binary()).as_py())
    # Four bytes are a character at most. A byte that is no text becomes a surrogate.
    text = data[: 4 * _SHOWN].decode(errors="surrogateescape")
    shown = "".join(
        letter
        if letter.isprintable() and letter != "\\"
        else _ESCAPES.get(letter, ascii(letter)[1:-1])
        for letter in text
    )
    return _cut(shown, is_whole=len(data) <= 4 * _SHOWN)


def _other(value: pa.Scalar) -> str:
    """A value that is not text."""
    kind = value.type
    if pa.types.is_nested(kind):
        return f"({kind})"
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"0x{value.as_buffer()[:_SHOWN].to_pybytes().hex()}"
    if pa.types.is_temporal(kind):
        return str(value.cast(pa.string()).as_py())  # Python's moments have fewer digits and years
    return str(value.as_py())


def _cut(text: str, *, is_whole: bool = True) -> str:
    return text if is_whole and len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def surely_none_blank(texts: pa.StringArray) -> bool:
    """Whether no text that is not null can be blank, as far as its first byte shows.

    A first byte beyond ASCII may begin white space, so then the answer is no.
    """
    offsets, data = text_parts(texts)
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    if texts.null_count:
        not_null = valid(texts)
        starts, lengths = starts[not_null], lengths[not_null]
    if not np.all(lengths > 0):
        return False
    first = data.take(starts)
    return not len(first) or bool(first.min() > _SPACE and first.max() < _BEYOND_ASCII)


def text_parts(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """The offsets of the texts, and the bytes from the first text to the last."""
    if not len(texts):
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    _, ends, content = texts.buffers()
    offsets = np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    if content is None:
        return offsets, np.zeros(0, np.uint8)
    return offsets, np.frombuffer(content, np.uint8)[offsets[0] : offsets[-1]]
