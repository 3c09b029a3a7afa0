"""Audits of ids in small batches."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from gem_core.audit.ids.facts import IdFacts, InputIds, OutputIds
from gem_core.audit.ids.id_audit import IdAudit
from gem_core.audit.options import IdLimits
from gem_core.audit.parquet.integer_range import IntegerRange

INT64 = pa.int64()

type Ids = Sequence[int | str | None]


def batches(ids: Ids, kind: pa.DataType, size: int) -> list[pa.Array]:
    return [pa.array(ids[n : n + size], kind) for n in range(0, len(ids), size)]


def compared(
    output: Ids,
    input_ids: Ids | None,
    *,
    kind: pa.DataType = INT64,
    input_kind: pa.DataType | None = None,
    matched: Sequence[bool] | None = None,
    size: int = 3,
    limits: IdLimits | None = None,
    span: IntegerRange | None = None,
) -> IdFacts:
    """Audit ids in batches of `size`; both footers say that they lie in `span`."""
    input_kind = input_kind or kind
    matched = matched or [True] * len(output)
    parts = [
        (ids, np.array(matched[start : start + size], np.bool_))
        for start, ids in zip(range(0, len(output), size), batches(output, kind, size), strict=True)
    ]
    found = IdAudit(
        OutputIds(kind, lambda: iter(parts), span, len(output)),
        None
        if input_ids is None
        else InputIds(input_kind, lambda: iter(batches(input_ids, input_kind, size + 1)), span),
        not_compared="no input" if input_ids is None else "",
        limits=limits,
    )
    for part in parts:
        found.add(*part)
    return found.finish()


ORDERED = list(range(1000))
SHUFFLED = [n * 7919 % 1000 for n in range(1000)]
LATE = [*range(999), 5]
