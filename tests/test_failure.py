"""What went wrong is said by types, files and lines, and by our own words."""

import traceback

import pytest

from gem_core.errors import StoreRefused
from gem_core.failure import FunctionFailed, chain, in_own_words, own_words

SECRET = "s3cret-of-a-library"


def connect() -> None:
    raise ConnectionError(f"https://h/?x={SECRET}")


def fail() -> None:
    try:
        connect()
    except ConnectionError as error:
        raise ValueError(f"could not read {SECRET}") from error


def caught() -> ValueError:
    with pytest.raises(ValueError, match=SECRET) as error:
        fail()
    return error.value


def test_a_chain_is_types_files_and_lines() -> None:
    text = chain(caught())
    first, cause = text.split(" from ")
    assert first.startswith("ValueError (tests/test_failure.py:")
    assert cause.startswith("ConnectionError (tests/test_failure.py:")
    assert SECRET not in text
    assert "\n" not in text


def test_a_chain_has_no_path_of_this_machine() -> None:
    text = chain(caught())
    assert __file__ not in text
    assert " /" not in text.replace("(", " ")


def test_an_endless_chain_ends() -> None:
    error: Exception = ValueError()
    for _ in range(1000):
        error, cause = KeyError(), error
        error.__cause__ = cause
    assert len(chain(error)) < 1000


def test_what_was_suppressed_is_not_in_the_chain() -> None:
    def suppress() -> None:
        try:
            fail()
        except ValueError:
            raise StoreRefused("ours") from None

    with pytest.raises(StoreRefused) as error:
        suppress()
    assert "ValueError" not in chain(error.value)


def test_our_own_errors_keep_their_words() -> None:
    assert own_words(StoreRefused("queue 'q': refused")) == "StoreRefused: queue 'q': refused"
    assert own_words(error := caught()) == chain(error)


def test_a_function_raises_only_own_words() -> None:
    with pytest.raises(FunctionFailed, match=r"^ValueError \(") as error:
        in_own_words(fail)
    # As the worker of the host makes it.
    shown = "".join(traceback.format_exception(type(error.value), error.value, None))
    assert SECRET not in shown
    assert error.value.__context__ is None
    assert error.value.__cause__ is None


def test_a_function_that_succeeds_returns_its_value() -> None:
    assert in_own_words(lambda: 5) == 5
