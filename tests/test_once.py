"""What is made once is made once, also when two threads need it first."""

from threading import Thread

import pytest

from gem_core.once import Once


def test_threads_that_call_first_get_one_thing() -> None:
    found: list[object] = []
    calls: list[Thread] = []

    def make() -> object:
        if not calls:
            calls.append(Thread(target=lambda: found.append(made())))
            calls[0].start()
            calls[0].join(0.1)  # without a lock it makes another one by then
        return object()

    made = Once(make)
    found.append(made())
    calls[0].join()
    assert found[0] is found[1]


def test_each_argument_has_its_own_thing() -> None:
    made = Once(lambda name: [name])
    assert made("a") is made("a")
    assert (made("a"), made("b")) == (["a"], ["b"])


def test_what_needs_itself_by_another_argument_is_made() -> None:
    @Once
    def made(count: int) -> int:
        return made(count - 1) + 1 if count else 0

    assert made(3) == 3


def test_what_could_not_be_made_is_tried_again() -> None:
    tries = iter([ZeroDivisionError, None])

    def make() -> str:
        if error := next(tries):
            raise error
        return "made"

    made = Once(make)
    with pytest.raises(ZeroDivisionError):
        made()
    assert made() == made() == "made"
