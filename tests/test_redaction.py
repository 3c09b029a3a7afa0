"""Known secrets do not get through: whole or cut, plain or percent-encoded."""

import base64
import json
import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.redaction import MIN_LENGTH, PREFIX, Redactor

KEY = "Ab3+dE/6gH=8jK.0mN~2pQ-4"
LOWER = quote(KEY, safe="").replace("%2B", "%2b").replace("%2F", "%2f")


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY),
        LOWER,
        quote(quote(KEY, safe=""), safe=""),
        "".join(f"%{ord(letter):02X}" for letter in KEY),
        KEY[:PREFIX],
        KEY[:-1],
        quote(KEY[:-1], safe=""),
    ],
)
def test_a_secret_is_taken_out_in_each_form(form: str) -> None:
    redact = Redactor(KEY)
    assert redact(form) == "***"
    text = f"https://h/p%20q?a=b&c={form}&d=%20 {form} 100% é"
    assert redact(text) == "https://h/p%20q?a=b&c=***&d=%20 *** 100% é"
    assert json.loads(redact(json.dumps({form: [form]}))) == {"***": ["***"]}


@given(text=st.text(), cut=st.integers(PREFIX, len(KEY)), before=st.text(), codes=st.booleans())
def test_no_text_around_a_secret_hides_it(text: str, cut: int, before: str, *, codes: bool) -> None:
    secret = KEY[:cut]
    shown = Redactor(KEY)(before + (quote(secret, safe="") if codes else secret) + text)
    assert KEY[:PREFIX] not in shown
    assert quote(KEY[:PREFIX], safe="") not in shown


@given(st.text(alphabet="ab%245 é\n"))
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert Redactor(KEY)(text) == text


def test_less_than_twelve_characters_of_a_longer_secret_are_not_looked_for() -> None:
    assert Redactor(KEY)(KEY[: PREFIX - 1]) == KEY[: PREFIX - 1]


def test_a_short_secret_is_found_whole_or_not_looked_for() -> None:
    redact = Redactor("12345678", "key", "")
    assert redact("key: 12345678, 1234567") == "key: ***, 1234567"
    assert len("12345678") == MIN_LENGTH


def test_secrets_that_overlap_are_both_taken_out() -> None:
    redact = Redactor("12345678", "abc12345678def", "678defghijklm")
    assert redact("abc12345678def 12345678 abc12345678defghijklm!") == "*** *** ***!"


def test_secrets_with_the_same_beginning_are_hidden_whole() -> None:
    header = "eyJ0eXAiOiJKV1Qi"
    redact = Redactor(f"{header}.one", f"{header}.two-and-more")
    assert redact(f"{header}.two-and-more, {header}.one; {header}.three") == "***, ***; ***hree"


def token(number: int) -> str:
    """A token as Entra ID writes it: all begin with the same header."""
    parts = ({"typ": "JWT", "alg": "RS256"}, {"aud": "gem", "oid": f"{number:08}"})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join(part.rstrip("=") for part in (*coded, f"signature-of_{number}"))


def test_a_token_is_found_after_many_others() -> None:
    """GEM answers 401 for a day: each tick gets a new token, and that of storage lasts."""
    redact = Redactor(token(0))
    for number in range(1, 1500):
        redact.add(token(number))
    assert redact(f"Bearer {token(0)}, {token(0)[:80]}") == "Bearer ***, ***"
    assert redact(f"{token(0)}+/{KEY}") == f"***+/{KEY}"


@pytest.mark.parametrize("text", ["eyJ", "eyJ.eyJ"])
def test_what_begins_like_a_token_everywhere_is_read_once(text: str) -> None:
    """A server may send this. Begun at each "eyJ", the first text would need half an hour."""
    shown = Redactor()(text * (1 << 20))
    assert (shown == text * (1 << 20)) == (".eyJ" not in text)


@given(
    st.lists(st.sampled_from(["eyJ", "e", "J", ".", "-", "_", "a0", "%", "é", " "]), max_size=20)
)
def test_a_token_is_found_wherever_it_begins(pieces: list[str]) -> None:
    text = "".join(pieces)
    simple = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)*")
    assert Redactor()(text) == simple.sub("***", text)


def test_a_known_secret_that_begins_like_a_token_is_found_whole() -> None:
    secret = f"{token(0)}+and/more"
    assert Redactor(secret)(f"a {secret} b") == "a *** b"


def test_a_secret_with_quotes_is_found_in_json() -> None:
    secret = 'a"b\\c"d"e"f"g"h'
    assert Redactor(secret)(json.dumps([secret])) == '["***"]'


def test_many_tokens_with_one_beginning_need_no_more_memory() -> None:
    redact = Redactor()
    for number in range(1000):
        redact.add(f"eyJ0eXAiOiJKV1Qi.{number:04}")
    (known,) = redact._by_prefix.values()
    assert len(known) < 20
    assert redact("eyJ0eXAiOiJKV1Qi.0999") == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            " https://a.example/c/n?sv=2024-11-04&sp=r&sig=c2VjcmV0%3D",
            " https://a.example/c/n?sv=2024-11-04&sp=r&sig=***",
        ),
        ("'n?SIG=c2Vj%3D&sp=r' is not there", "'n?SIG=***&sp=r' is not there"),
        ("file:///n%3Fsp%3Dr%26sig%3Dc2Vj%253D", "file:///n%3Fsp%3Dr%26sig%3D***"),
        ("two: sig=a sig=b", "two: sig=*** sig=***"),
        ("no signature: sig, sig=", "no signature: sig, sig="),
        ("AccountName=a;AccountKey=c2Vj==;X=y", "AccountName=a;AccountKey=***;X=y"),
    ],
)
def test_what_its_name_shows_to_be_a_secret_need_not_be_known(text: str, shown: str) -> None:
    assert Redactor()(text) == shown
