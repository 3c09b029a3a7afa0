"""Virtual time, and stories that run side by side in one thread, in an order that is the world's.

A story is a greenlet: it runs until it waits, and whoever is due first goes on. So the same plan
gives the same run, whatever the machine does.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count

from greenlet import getcurrent, greenlet

from tests.fakes import START, Killed

type Ending = BaseException | None
"""How a story ended: by an error, by `Killed`, or well."""


class Process:
    """One instance of the host. It dies with all that runs in it."""

    def __init__(self) -> None:
        self.dead = False


class Story:
    """One invocation, or one thread of it."""

    def __init__(
        self, name: str, process: Process, ends_at: float, on_end: Callable[[Ending], object]
    ) -> None:
        self.name = name
        self.process = process
        self.ends_at = ends_at
        self.on_end = on_end
        self.greenlet: greenlet
        self.done = False


class Lock:
    """What a lock is to threads. It dies with the process that made it."""

    def __init__(self, loop: "Loop") -> None:
        self._loop = loop
        self._held = False

    def __enter__(self) -> None:
        while self._held:
            self._loop.wait(0.01)
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False


class Loop:
    """The clock and what is due when."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.story: Story | None = None
        """Whose turn it is; None while the world itself acts."""
        self.turns = 0
        """Counts starts and ends of stories."""
        self.running: list[Story] = []
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()
        self._hub = getcurrent()

    def clock(self) -> datetime:
        """The time of everybody: GEM, storage and us."""
        return START + timedelta(seconds=self.seconds)

    def later(self, seconds: float, do: Callable[[], object]) -> None:
        """Act after so many seconds."""
        heappush(self._due, (self.seconds + seconds, next(self._order), do))

    def start(
        self,
        name: str,
        process: Process,
        do: Callable[[], object],
        *,
        lasts: float,
        on_end: Callable[[Ending], object],
    ) -> None:
        """Start a story; it is killed when it has not ended after `lasts` seconds."""
        story = Story(name, process, self.seconds + lasts, on_end)

        def whole() -> None:
            ending: Ending = None
            try:
                do()
            except (Exception, Killed) as error:  # noqa: BLE001 - the host sees every error
                ending = error
            self._end(story, ending)

        story.greenlet = greenlet(whole, self._hub)
        self.turns += 1
        self.running.append(story)
        self.later(0, lambda: self._go_on(story))

    def wait(self, seconds: float) -> None:
        """Let others go on for so long. Raises Killed when the process dies meanwhile."""
        story = self._mine()
        if self.seconds + seconds >= story.ends_at:
            self.later(story.ends_at - self.seconds, lambda: self.kill(story.process))
        else:
            self.later(seconds, lambda: self._go_on(story))
        self._hub.switch()
        self._mine()

    def die(self) -> None:
        """End the process of the present story, here. Raises Killed."""
        self._mine().process.dead = True
        self._mine()

    def kill(self, process: Process) -> None:
        """End a process between the steps of its stories. They never run another line of effect."""
        process.dead = True
        while story := next((each for each in self.running if each.process is process), None):
            if story.greenlet:
                self._switch(story, partial(story.greenlet.throw, Killed))
            else:
                self._end(story, Killed())  # before its first line

    def each[T, R](self, do: Callable[[T], R], items: Iterable[T], *, at_once: int) -> list[R]:
        """What a pool of threads does, within the present story."""
        parent = self._mine()
        waiting = list(enumerate(items))[::-1]
        results: dict[int, R] = {}
        errors: list[BaseException] = []
        ended = [0]
        total = len(waiting)

        def work() -> None:
            while waiting:
                number, item = waiting.pop()
                results[number] = do(item)

        def end(ending: Ending) -> None:
            ended[0] += 1
            if ending:
                errors.append(ending)
            if ended[0] == threads:
                self.later(0, lambda: self._go_on(parent))

        threads = min(at_once, total)
        if threads <= 1:
            return [do(item) for _, item in reversed(waiting)]
        for _ in range(threads):
            self.start(
                parent.name,
                parent.process,
                work,
                lasts=parent.ends_at - self.seconds,
                on_end=end,
            )
        self._hub.switch()
        self._mine()
        if errors:
            raise errors[0]
        return [results[number] for number in range(total)]

    def run(self, *, until: Callable[[], bool]) -> None:
        """Go on until it is so, or nothing is due any more."""
        while self._due and not until():
            at, _, do = heappop(self._due)
            self.seconds = max(self.seconds, at)
            do()

    def stop(self) -> None:
        """End every story, so that none outlives the world."""
        for process in {id(story.process): story.process for story in self.running}.values():
            self.kill(process)

    def _mine(self) -> Story:
        story = self.story
        assert story, "only a story may do that"
        if story.process.dead:
            raise Killed
        return story

    def _end(self, story: Story, ending: Ending) -> None:
        story.done = True
        self.turns += 1
        self.running.remove(story)
        story.on_end(ending)

    def _go_on(self, story: Story) -> None:
        if not story.done:
            self._switch(story, story.greenlet.switch)

    def _switch(self, story: Story, switch: Callable[[], object]) -> None:
        self.story = story
        switch()
        self.story = None
        if story.process.dead:
            self.kill(story.process)
