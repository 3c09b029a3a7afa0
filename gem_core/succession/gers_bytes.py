"""GERS ids as bytes of one length, and back. Pure (numpy).

An id takes 17 bytes instead of 36: its 128 bits, and which of the two formats it is written in.
"""

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import text_parts
from gem_core.audit.rows.gers import GersFormat

BITS = 16
PACKED = pa.binary(BITS + 1)
"""Of an id; null where a road has none."""

_HYPHENS = (8, 13, 18, 23)
_PLACES = {
    GersFormat.UUID: [place for place in range(36) if place not in _HYPHENS],
    GersFormat.DIGITS: [*range(32)],
}
"""Where the hexadecimal digits of each format are."""
_FORMATS = tuple(GersFormat)
"""The last byte of a packed id is a place in this list."""

_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_INVALID = 0x10
_VALUES = np.full(256, _INVALID, np.uint8)
_VALUES[_DIGITS] = np.arange(16)
_VALUES[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


def pack(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """GERS ids as `PACKED`; null where there is none, and where the text is not in a format.

    Upper and lower case are the same id.
    """
    offsets, _ = text_parts(texts)
    lengths = np.diff(offsets)
    packed = np.zeros((len(texts), BITS + 1), np.uint8)
    found = np.zeros(len(texts), np.bool_)
    for number, format_ in enumerate(_FORMATS):
        rows = np.flatnonzero(lengths == format_.length)
        if not len(rows):
            continue
        some = texts if len(rows) == len(texts) else texts.take(pa.array(rows))
        chars = text_parts(some)[1].reshape(len(rows), format_.length)
        bits, is_id = _read(chars, format_)
        packed[rows, :BITS], packed[rows, BITS], found[rows] = bits, number, is_id
    validity = None if found.all() else pa.py_buffer(np.packbits(found, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(
        PACKED, len(texts), [validity, pa.py_buffer(packed)]
    )


def unpack(packed: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """The texts, in lower case."""
    if packed.null_count:
        whole = unpack(packed.drop_null())
        places = np.cumsum(~np.asarray(packed.is_null())) - 1
        return whole.take(pa.array(places, mask=np.asarray(packed.is_null())))
    data = as_rows(packed)
    values = data[:, :BITS]
    digits = np.empty((len(data), 2 * BITS), np.uint8)
    digits[:, 0::2], digits[:, 1::2] = _DIGITS[values >> 4], _DIGITS[values & 0x0F]
    is_uuid = data[:, BITS] == _FORMATS.index(GersFormat.UUID)
    lengths = np.where(is_uuid, GersFormat.UUID.length, GersFormat.DIGITS.length)
    # Each row is as long as a UUID; of other ids only the first bytes are taken.
    texts = np.full((len(data), GersFormat.UUID.length), ord("-"), np.uint8)
    texts[:, _PLACES[GersFormat.UUID]] = digits
    if not is_uuid.all():
        texts[~is_uuid, :32] = digits[~is_uuid]
        texts = texts[np.arange(texts.shape[1]) < lengths[:, None]]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.StringArray.from_buffers(
        len(data), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(texts))
    )


def as_rows(packed: pa.FixedSizeBinaryArray) -> np.ndarray:
    """The bytes, one row for each id; at nulls they have no meaning."""
    buffer = packed.buffers()[1]
    data = np.frombuffer(buffer, np.uint8) if buffer else np.zeros(0, np.uint8)
    start = packed.offset * (BITS + 1)
    return data[start : start + len(packed) * (BITS + 1)].reshape(len(packed), BITS + 1)


def _read(chars: np.ndarray, format_: GersFormat) -> tuple[np.ndarray, Mask]:
    """The 16 bytes of each row of characters, and which rows are ids."""
    values = _VALUES[chars]
    places = _PLACES[format_]
    high, low = values[:, places[0::2]], values[:, places[1::2]]
    is_id: Mask = ((high | low) < _INVALID).all(axis=1)
    if format_ is GersFormat.UUID:
        is_id &= (chars[:, _HYPHENS] == ord("-")).all(axis=1)
    return high << 4 | low, is_id
