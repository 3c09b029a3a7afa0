"""What the app knows of the time: its machine's clock, which may be set, and storage's answers."""

from collections.abc import Callable
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from gem_core.storage.clock import StorageClock
from tests.world.loop import Loop, Process


class AppClock:
    """The clock of the app. With `ask`, each process has learned storage's time, or asks for it."""

    def __init__(self, loop: Loop, ask: Callable[[], object] | None) -> None:
        self._loop = loop
        self._ask = ask
        self._of_processes: WeakKeyDictionary[Process, StorageClock] = WeakKeyDictionary()
        self.machine_off = 0.0
        """Seconds by which the machines' clocks are ahead of everybody else's."""

    @property
    def off(self) -> float:
        """Seconds by which the times that the app writes are ahead."""
        return 0 if self._ask else self.machine_off

    def set(self, step: float, *, lasts: float | None) -> None:
        """Set the machines' clocks, for so many seconds or for good."""
        self.machine_off += step
        if lasts:
            self._loop.later(lasts, lambda: self.set(-step, lasts=None))

    def answered(self) -> None:
        """Storage answers the present story; it says the time without the fraction."""
        self._of_process().answered(self._loop.clock().replace(microsecond=0), timedelta(0))

    def __call__(self) -> datetime:
        """The time, in the present story."""
        if self._ask is None:
            return self._machine()
        if not self._of_process().is_set:
            self._ask()
        return self._of_process()()

    def _machine(self) -> datetime:
        return self._loop.clock() + timedelta(seconds=self.machine_off)

    def _of_process(self) -> StorageClock:
        assert self._loop.story
        return self._of_processes.setdefault(
            self._loop.story.process,
            StorageClock(lambda: self._loop.seconds, lambda: self._machine().timestamp()),
        )
