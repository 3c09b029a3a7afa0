"""Makes what a process needs once, whichever of its threads needs it first."""

from collections.abc import Callable
from functools import cache, update_wrapper
from threading import RLock


class Once[**P, T]:
    """A function that makes one thing for the same arguments, and gives it to all who call.

    A call that fails is repeated by the next one. `functools.cache` alone is not enough: when two
    threads call at first, each gets a thing of its own, and only one of them is kept.
    """

    def __init__(self, make: Callable[P, T]) -> None:
        """Use it as a decorator; the arguments of `make` are hashable."""
        self._made = cache(make)
        self._lock = RLock()
        self.cache_clear = self._made.cache_clear
        self.cache_info = self._made.cache_info
        update_wrapper(self, make)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `make` gives; while one thread makes it, the others wait."""
        with self._lock:
            return self._made(*args, **kwargs)  # type: ignore[arg-type] # mypy takes P.kwargs for unhashable
