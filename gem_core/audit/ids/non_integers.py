"""Ids of the output that are not integers, beside an input whose ids are. Pure."""

from collections.abc import Mapping
from heapq import nsmallest

from gem_core.audit.arrow.arrays import Mask


class NonIntegerIds:
    """Distinct ids of the output that are not integers, so not among the input's."""

    _BYTES_EACH = 200
    """About the memory of one entry of a dict, beside the bytes of its text."""

    def __init__(self, limit_bytes: int) -> None:
        self.rows = 0
        self.known = True
        """Whether all distinct ones are in memory."""
        self.limit_bytes = limit_bytes
        self._left = limit_bytes
        self._matched: dict[bytes, bool] = {}

    def add(self, non_integers: Mapping[int, bytes], matched: Mask) -> None:
        """Add those of one batch, by their position in it."""
        self.rows += len(non_integers)
        if not self.known:
            return
        for position, text in non_integers.items():
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
        """The smallest few as text to show."""
        texts = nsmallest(count, self._matched)
        return [text.decode(errors="replace")[:100] for text in texts]
