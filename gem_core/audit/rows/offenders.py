"""Rows that break a rule: all are counted, the first few are kept as examples. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gem_core.audit.arrow.arrays import Mask
from gem_core.audit.arrow.text import escaped, readable
from gem_core.audit.rows.example import EXAMPLES, Example


@dataclass(frozen=True, slots=True)
class Offenders:
    """The rows that break one rule."""

    count: int = 0
    examples: tuple[Example, ...] = ()
    """The first few."""
    keep: int = EXAMPLES
    """How many."""

    def adding(
        self,
        mask: Mask,
        first_row: int,
        ids: pa.Array | None,
        values: Sequence[pa.Array] = (),
        input_values: pa.Array | None = None,
    ) -> "Offenders":
        """Add rows of a batch.

        Args:
            mask: which of the batch's rows to add.
            first_row: the number of the batch's first row in the file, from 0.
            ids: the batch's ids; None when the file has no usable id.
            values: the columns that the rule is about; an example shows the value of each.
            input_values: the input's values of the same rows; None without a comparison.

        """
        shown = np.flatnonzero(mask)[: self.left].tolist() if self.left else []
        examples = (
            Example(
                first_row + row,
                readable(ids[row]) if ids is not None else None,
                _shown([column[row] for column in values]),
                input_value=escaped(input_values[row]) if input_values is not None else None,
            )
            for row in shown
        )
        return self.with_more(int(np.count_nonzero(mask)), examples)

    @property
    def left(self) -> int:
        """How many more examples may be kept."""
        return self.keep - len(self.examples)

    def with_more(self, count: int, examples: Iterable[Example]) -> "Offenders":
        """With so many rows more, and examples of them, at most `left`."""
        return Offenders(self.count + count, (*self.examples, *examples), self.keep)


def _shown(values: Sequence[pa.Scalar]) -> str | None:
    """One value as it is, or null; of several, also which one is null."""
    if len(values) > 1:
        return " to ".join(escaped(value) or "null" for value in values)
    return escaped(values[0]) if values else None
