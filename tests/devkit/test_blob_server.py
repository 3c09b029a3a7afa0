"""The blob of the tests answers as storage does."""

from itertools import chain, repeat

from azure.core import MatchConditions

from devkit.blob_server import NAME, Blob, serving


class Replaced(Blob):
    """Replaced by another request after its version was looked at once."""

    def __getattribute__(self, name: str) -> object:
        if name == "etag":
            return next(object.__getattribute__(self, "versions"))
        return object.__getattribute__(self, name)


def test_an_answer_is_of_the_version_that_was_compared() -> None:
    blob = Replaced(b"x")
    blob.versions = chain(["0x8D1"], repeat("0x8D2"))  # type: ignore[attr-defined] # of this test
    with serving(blob) as container:
        answer = container.get_blob_client(NAME).download_blob(
            0, 1, etag='"0x8D1"', match_condition=MatchConditions.IfNotModified
        )
    assert answer.properties.etag == '"0x8D1"'
