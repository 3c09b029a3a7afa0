"""Addresses are read strictly, and never repeat their signature."""

import pytest

from gem_core.audit.reading.address import BlobAddress, parse_address
from gem_core.errors import OutputRefused

SIGNATURE = "sv=2024-11-04&sp=r&sig=c2VjcmV0%3D"


@pytest.mark.parametrize(
    ("text", "account", "container", "name", "local"),
    [
        (
            "https://a.blob.core.windows.net/out/roads_matched.parquet",
            "https://a.blob.core.windows.net",
            "out",
            "roads_matched.parquet",
            False,
        ),
        ("https://a.example:8443/c/d/e%20%23f", "https://a.example:8443", "c", "d/e #f", False),
        (
            "http://127.0.0.1:10000/devstoreaccount1/c/d/e",
            "http://127.0.0.1:10000/devstoreaccount1",
            "c",
            "d/e",
            True,
        ),
        ("http://localhost/a/c/n", "http://localhost/a", "c", "n", True),
        ("http://[::1]:10000/a/c/n", "http://[::1]:10000/a", "c", "n", True),
        ("https://10.0.0.4/a/c/n", "https://10.0.0.4/a", "c", "n", False),
    ],
)
def test_an_address_is_taken_apart(
    text: str, account: str, container: str, name: str, *, local: bool
) -> None:
    assert parse_address(text) == BlobAddress(account, container, name, None, local)
    signed = parse_address(f"{text}?{SIGNATURE}")
    assert signed.signature
    assert signed.signature.reveal() == SIGNATURE
    assert "sig" not in signed.url
    assert "c2VjcmV0" not in repr(signed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("http://a.blob.core.windows.net/c/n", "is not an https address"),
        ("https://a.blob.core.windows.net/c", "names no blob: expected https://ACCOUNT"),
        ("https://a.blob.core.windows.net/c/", "names no blob"),
        ("https://a.blob.core.windows.net//n", "names no blob"),
        ("https://a.blob.core.windows.net", "names no blob"),
        ("http://127.0.0.1:10000/c/n", "names no blob: expected http://127.0.0.1:PORT/ACCOUNT"),
        ("https://10.0.0.4/c/n", "names no blob: expected http://127.0.0.1:PORT/ACCOUNT"),
        ("https:///c/n", "is not an https address"),
        ("https://[/c/n", "is not an address"),
        ("https://a.example:port/c/n", "is not an address"),
        ("https://user:c2VjcmV0@a.example/c/n", "a.example has a user or a fragment"),
        ("https://a.example/c/n#part", "a.example has a user or a fragment"),
        ("abfss://c@a.dfs.core.windows.net/n", "is not an https address"),
    ],
)
@pytest.mark.parametrize("query", ["", f"?{SIGNATURE}"])
def test_refused_without_a_word_of_the_query(text: str, words: str, query: str) -> None:
    with pytest.raises(OutputRefused, match=words) as refused:
        parse_address(text.replace("#", f"{query}#") if "#" in text else text + query)
    assert "c2VjcmV0" not in str(refused.value)
    if "a user" not in words:
        assert repr(text) in str(refused.value)


def test_a_query_is_a_signature() -> None:
    with pytest.raises(OutputRefused, match="not a shared access signature"):
        parse_address("https://a.example/c/n?versionid=1")
