"""Rows that break a rule: all are counted, the first few are kept as examples. Pure."""

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

    def adding(
        self,
        mask: Mask,
        first_row: int,
        ids: pa.Array | None,
        values: pa.Array | None = None,
    ) -> "Offenders":
        """Add rows of a batch.

        Args:
            mask: which of the batch's rows to add.
            first_row: the number of the batch's first row in the file, from 0.
            ids: the batch's ids; None when the file has no usable id.
            values: the values that the rule is about; None when there are no such.

        """
        missing = EXAMPLES - len(self.examples)
        shown = np.flatnonzero(mask)[:missing].tolist() if missing else []
        examples = tuple(
            Example(
                first_row + row,
                readable(ids[row]) if ids is not None else None,
                escaped(values[row]) if values is not None else None,
            )
            for row in shown
        )
        return Offenders(self.count + int(np.count_nonzero(mask)), self.examples + examples)
