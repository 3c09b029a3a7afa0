"""The time comes from storage's answers when the machine's clock is wrong."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event, Thread
from typing import override

import pytest

from gem_core.errors import StoreError
from gem_core.secret import Secret
from gem_core.settings.connection import Connection
from gem_core.storage import clients, clock
from gem_core.storage.clock import StorageClock
from gem_core.storage.names import JOBS
from gem_core.wiring.stores import Stores
from tests.fakes import START
from tests.gem.raw_server import RawServer, Write

STEPS = [timedelta(hours=hours) for hours in (-24, -2, 2, 24)]
AT_ONCE = timedelta(0)


@dataclass
class Machine:
    """Its two clocks."""

    seconds: float = 1000.0
    machine: datetime = START
    clock: StorageClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = StorageClock(self._monotonic, self._machine)

    def _monotonic(self) -> float:
        return self.seconds

    def _machine(self) -> float:
        return self.machine.timestamp()

    def wait_a_minute(self) -> None:
        self.seconds += 60
        self.machine += timedelta(minutes=1)


def test_without_an_answer_the_time_is_the_machines() -> None:
    machine = Machine()
    assert machine.clock() == START
    machine.wait_a_minute()
    machine.machine += timedelta(days=1)
    assert machine.clock() == START + timedelta(minutes=1)
    machine.clock.answered(START + timedelta(hours=2), AT_ONCE)
    assert machine.clock() == START + timedelta(hours=2)


def test_a_clock_that_storage_agrees_with_is_read_with_its_fraction() -> None:
    machine = Machine(machine=START + timedelta(seconds=0.75))
    machine.clock.answered(START, AT_ONCE)
    assert machine.clock() == START + timedelta(seconds=0.75)


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_of_the_machines_clock_changes_nothing(step: timedelta) -> None:
    machine = Machine()
    machine.clock.answered(START, AT_ONCE)
    machine.machine += step
    assert machine.clock() == START
    machine.wait_a_minute()
    assert machine.clock() == START + timedelta(minutes=1)
    machine.clock.answered(START + timedelta(minutes=1), AT_ONCE)
    assert machine.clock() == START + timedelta(minutes=1)


def test_an_answer_that_took_long_does_not_set_the_time_back() -> None:
    machine = Machine(machine=START + timedelta(days=1))
    machine.clock.answered(START, AT_ONCE)
    machine.wait_a_minute()
    machine.clock.answered(START, timedelta(seconds=60))
    assert machine.clock() == START + timedelta(minutes=1)


def test_the_time_is_right_again_after_one_answer() -> None:
    """An answer that was wrong, or seconds that were not counted because the machine slept."""
    machine = Machine(machine=START - timedelta(days=9))
    machine.clock.answered(START + timedelta(days=1), AT_ONCE)
    machine.clock.answered(START, AT_ONCE)
    assert machine.clock() == START
    machine.clock.answered(START + timedelta(hours=5), AT_ONCE)
    assert machine.clock() == START + timedelta(hours=5)


class Meanwhile:
    """Another thread hears an answer while this one decides. It may wait until that is over."""

    def __init__(self, machine: Machine, at: datetime) -> None:
        self._thread = Thread(target=machine.clock.answered, args=(at, AT_ONCE))

    def hear(self) -> None:
        self._thread.start()
        self._thread.join(0.1)  # the answer is taken by then, if the thread does not wait

    def end(self) -> None:
        self._thread.join()


def test_the_later_of_two_answers_at_once_stays() -> None:
    machine = Machine(machine=START - timedelta(days=9))
    machine.clock.answered(START + timedelta(hours=1), AT_ONCE)  # wrong, so both set it back
    meanwhile = Meanwhile(machine, START + timedelta(seconds=1))

    class Took(timedelta):
        @override
        def total_seconds(self) -> float:
            meanwhile.hear()
            return 0

    machine.clock.answered(START, Took())
    meanwhile.end()
    assert machine.clock() == START + timedelta(seconds=1)


def test_an_answer_that_comes_while_the_machines_time_is_taken_stays() -> None:
    machine = Machine()
    meanwhile = Meanwhile(machine, START + timedelta(hours=5))
    first_reading = Event()

    def monotonic() -> float:
        if not first_reading.is_set():
            first_reading.set()
            meanwhile.hear()
        return machine.seconds

    machine.clock._monotonic = monotonic
    machine.clock()
    meanwhile.end()
    assert machine.clock() == START + timedelta(hours=5)


# With the SDK.

TWO_DAYS_AGO = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
OF_STORAGE = "x-ms-request-id: 1"
BLOB_NOT_FOUND = "x-ms-error-code: BlobNotFound"
NOT_FOUND = "404 Not Found"
REFUSED = "403 Forbidden"


pytestmark = pytest.mark.usefixtures("without_waits")


def answering(status: str, *headers: str, asked: list[str]) -> RawServer:
    """A storage that gives every request this answer."""

    def answer(write: Write, _: Event) -> None:
        asked.append(status)
        lines = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *headers]
        write("\r\n".join((*lines, "", "")).encode())

    return RawServer(answer)


def stores_at(url: str) -> Stores:
    text = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={url}/a;QueueEndpoint={url}/a"
    return Stores(Connection("GEM_STATE", connection_string=Secret(text)))


@pytest.mark.parametrize("status", [NOT_FOUND, REFUSED])
def test_any_answer_says_the_time_and_one_is_enough(status: str) -> None:
    asked: list[str] = []
    date = f"Date: {format_datetime(TWO_DAYS_AGO, usegmt=True)}"
    with answering(status, OF_STORAGE, BLOB_NOT_FOUND, date, asked=asked) as server:
        stores = stores_at(server.url)
        for _ in range(3):
            assert timedelta(0) <= stores.now() - TWO_DAYS_AGO < timedelta(hours=1)
        assert len(asked) == 1


def test_all_stores_of_a_connection_share_the_time() -> None:
    """So each route and each run of the doctor needs no client and no question of its own."""
    asked: list[str] = []
    date = f"Date: {format_datetime(TWO_DAYS_AGO, usegmt=True)}"
    with answering(NOT_FOUND, OF_STORAGE, BLOB_NOT_FOUND, date, asked=asked) as server:
        for _ in range(3):
            stores_at(server.url).now()
        assert len(asked) == 1
        assert clients.blob_service.cache_info().currsize == 1


def test_threads_that_use_storage_first_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of which no client knows would go by the machine's time for ever."""
    found: list[StorageClock] = []
    threads: list[Thread] = []
    connection = Connection("GEM_STATE", connection_string=Secret("AccountName=a;AccountKey=a2V5"))

    def made() -> StorageClock:
        if not threads:
            threads.append(Thread(target=lambda: found.append(clients.storage_clock(connection))))
            threads[0].start()
            threads[0].join(0.1)  # it has a clock of its own by then, if it does not wait
        return StorageClock()

    monkeypatch.setattr(clock, "StorageClock", made)
    found.append(clients.storage_clock(connection))
    threads[0].join()
    assert found[0] is found[1]


def test_requests_that_are_made_anyway_say_the_time() -> None:
    asked: list[str] = []
    date = f"Date: {format_datetime(TWO_DAYS_AGO, usegmt=True)}"
    with answering(NOT_FOUND, OF_STORAGE, BLOB_NOT_FOUND, date, asked=asked) as server:
        stores = stores_at(server.url)
        assert stores.documents(JOBS).get("job.json") is None
        before = len(asked)
        assert stores.now() - TWO_DAYS_AGO < timedelta(hours=1)
        assert len(asked) == before


def test_what_a_proxy_says_is_not_storages_time() -> None:
    date = f"Date: {format_datetime(TWO_DAYS_AGO, usegmt=True)}"
    with answering(NOT_FOUND, BLOB_NOT_FOUND, date, asked=[]) as server:
        stores = stores_at(server.url)
        with pytest.raises(StoreError, match="NotStorage"):
            stores.now()
        assert not clients.storage_clock(stores._state).is_set


@pytest.mark.parametrize(
    "date", ["X: y", "Date: soon", "Date: ", f"Date: Sat, 1 Jan {'9' * 20} 00:00:00 GMT"]
)
def test_an_answer_without_a_time_leaves_the_machines_and_one_is_enough(date: str) -> None:
    asked: list[str] = []
    with answering(NOT_FOUND, OF_STORAGE, BLOB_NOT_FOUND, date, asked=asked) as server:
        stores = stores_at(server.url)
        for _ in range(3):
            assert abs(stores.now() - datetime.now(UTC)) < timedelta(minutes=1)
        assert len(asked) == 1


def test_nothing_is_concluded_while_storage_says_nothing() -> None:
    def hang_up(_: Write, __: Event) -> None:
        """No answer."""

    with RawServer(hang_up) as server, pytest.raises(StoreError):
        stores_at(server.url).now()
