"""GERS ids as bytes of one length, and back. Pure (numpy).

An id takes 17 bytes instead of 36: its 128 bits, and which of the two formats it is written in.
"""

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import valid
from gem_core.audit.rows.gers import GersFormat
from gem_core.audit.rows.gers_bits import bits_of, bytes_of, texts_of
from gem_core.audit.rows.gers_formats import formats_of

BITS = 16
PACKED = pa.binary(BITS + 1)
"""Of an id; null where a road has none. The last byte is the number of the format."""


def pack(texts: pa.StringArray) -> pa.FixedSizeBinaryArray:
    """GERS ids as `PACKED`; null where there is none, and where the text is not in a format.

    Upper and lower case are the same id.
    """
    formats = formats_of(texts)
    packed = np.zeros((len(texts), BITS + 1), np.uint8)
    packed[:, BITS] = formats
    for format_ in GersFormat:
        rows = formats == format_.number
        if rows.any():
            ids = texts if rows.all() else texts.filter(pa.array(rows))
            packed[rows, :BITS] = bytes_of(bits_of(ids, format_))
    found = formats >= 0
    validity = None if found.all() else pa.py_buffer(np.packbits(found, bitorder="little"))
    return pa.FixedSizeBinaryArray.from_buffers(
        PACKED, len(texts), [validity, pa.py_buffer(packed)]
    )


def unpack(packed: pa.FixedSizeBinaryArray) -> pa.StringArray:
    """The texts, in lower case."""
    data, not_null = as_rows(packed), valid(packed)
    places, texts, count = np.zeros(len(data), np.int64), [], 0
    for format_ in GersFormat:
        rows = not_null & (data[:, BITS] == format_.number)
        if rows.all():
            return texts_of(data[:, :BITS], format_)
        texts.append(texts_of(data[rows, :BITS], format_))
        places[rows] = np.arange(count, count + len(texts[-1]))
        count += len(texts[-1])
    return pa.concat_arrays(texts).take(pa.array(places, mask=~not_null))


def as_rows(packed: pa.FixedSizeBinaryArray) -> np.ndarray:
    """The bytes, one row for each id; at nulls they have no meaning."""
    buffer = packed.buffers()[1]
    data = np.frombuffer(buffer, np.uint8) if buffer else np.zeros(0, np.uint8)
    start = packed.offset * (BITS + 1)
    return data[start : start + len(packed) * (BITS + 1)].reshape(len(packed), BITS + 1)
