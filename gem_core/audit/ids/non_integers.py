"""Texts among the output's ids that can be no id of an input of integers. Pure."""

from collections.abc import Mapping
from heapq import nsmallest

from gem_core.audit.arrow.arrays import Mask


class NonIntegerIds:
    """Distinct texts among the output's ids that can be no id of the input."""

    _BYTES_EACH = 200
    """About what one entry of a dict costs, beside its bytes."""

    def __init__(self, limit_bytes: int) -> None:
        self.rows = 0
        self.known = True
        """Whether the distinct ones are all held."""
        self._left = limit_bytes
        self._matched: dict[bytes, bool] = {}

    def add(self, strangers: Mapping[int, bytes], matched: Mask) -> None:
        """Take those of one batch, by position in it."""
        self.rows += len(strangers)
        if not self.known:
            return
        for position, text in strangers.items():
            if text not in self._matched:
                self._left -= self._BYTES_EACH + len(text)
                self.known = self._left >= 0
            if not self.known:
                self._matched.clear()
                return
            self._matched[text] = self._matched.get(text, False) or bool(matched[position])

    def counts(self) -> tuple[int, int]:
        """Distinct texts, and distinct texts that have a matched row."""
        return len(self._matched), sum(self._matched.values())

    def first(self, count: int) -> list[str]:
        """Show the smallest few."""
        texts = nsmallest(count, self._matched)
        return [text.decode(errors="replace")[:100] for text in texts]
