"""JSON in, JSON out, errors as problem details."""

import json
import re
from pathlib import Path

import pytest

from gem_core.errors import (
    CourierError,
    DocumentMissing,
    GemAccessError,
    GemUnavailable,
    JobUnknown,
    OutputUnreachable,
    RecordConflict,
    RecordUnreadable,
    RequestError,
    SettingsError,
    StageForbids,
    StoreError,
    StoreMissing,
)
from gem_core.web import (
    DOCUMENT_HEADERS,
    MAX_BODY_BYTES,
    PROBLEMS,
    TYPE_PREFIX,
    HttpResponse,
    document_response,
    json_body,
    refuse_unknown_words,
    respond,
)
from tests.builders import logged

PAGE = Path(__file__).resolve().parent.parent / "docs" / "problems.md"


pytestmark = pytest.mark.usefixtures("all_levels")


def raising(error: Exception) -> HttpResponse:
    def handler() -> tuple[int, object]:
        raise error

    return respond(handler)


def test_the_result_of_a_handler_is_sent_as_json() -> None:
    assert respond(lambda: (201, {"a": "é"})) == HttpResponse(201, '{"a": "\\u00e9"}')
    assert respond(lambda: (204, None)) == HttpResponse(204, "")
    assert respond(lambda: (200, [])).body == "[]"


def test_a_document_is_sent_as_it_is_stored_and_runs_nothing_in_a_browser() -> None:
    sent = document_response(b"<p>\xc3\xa9", "text/html")
    assert sent == HttpResponse(200, b"<p>\xc3\xa9", "text/html", DOCUMENT_HEADERS)
    policy = sent.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "frame-ancestors 'none'", "sandbox"} <= set(policy)
    assert not any(part.startswith("script-src") or "allow-scripts" in part for part in policy)
    assert sent.headers["Referrer-Policy"] == "no-referrer"


def test_a_document_that_does_not_exist_is_a_problem() -> None:
    response = raising(DocumentMissing("no manifest of 'job-1' was sent yet: it is watching"))
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert "watching" in str(response.body)


@pytest.mark.parametrize(
    ("error", "status", "level"),
    [
        (DocumentMissing("no manifest yet"), 404, "INFO"),
        (RequestError("bad id"), 400, "INFO"),
        (StageForbids("still watched"), 409, "INFO"),
        (JobUnknown("no job"), 404, "INFO"),
        (RecordConflict("other writer"), 409, "INFO"),
        (SettingsError(("GEM_API_KEY is missing",)), 500, "ERROR"),
        (GemAccessError("GEM answered 401"), 502, "ERROR"),
        (GemUnavailable("GEM answered 500"), 502, "ERROR"),
        (StoreError("storage answered 403"), 503, "ERROR"),
        (StoreMissing("container 'gem-jobs' does not exist"), 503, "ERROR"),
        (RecordUnreadable("not a job record"), 500, "ERROR"),
        (OutputUnreachable("refused"), 500, "ERROR"),
        (CourierError("any"), 500, "ERROR"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_is_a_problem_with_its_status(
    error: CourierError, status: int, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = raising(error)
    assert response.status == status
    assert response.content_type == "application/problem+json"
    body = json.loads(response.body)
    assert set(body) == {"type", "title", "status", "detail"}
    (kind,) = [kind for _, kind in PROBLEMS if TYPE_PREFIX + kind.name == body["type"]]
    assert (kind.status, kind.title) == (status, body["title"])
    assert body["status"] == status
    assert body["detail"] == str(error)
    assert body["title"]
    assert body["title"] != body["detail"]
    assert [line["level"] for line in logged(caplog)] == [level]


def test_an_unexpected_error_is_answered_without_details(caplog: pytest.LogCaptureFixture) -> None:
    response = raising(ZeroDivisionError("secret inside"))
    assert response.status == 500
    assert "secret inside" not in response.body
    assert json.loads(response.body)["status"] == 500
    (line,) = logged(caplog, "request_failed")
    assert line["reason"] == "ZeroDivisionError"
    assert line["chain"].startswith("ZeroDivisionError (")
    assert "secret inside" not in caplog.text


def test_a_result_that_is_not_json_is_an_error_of_the_app() -> None:
    assert respond(lambda: (200, {"a": json.loads})).status == 500


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"", None),
        (b" \r\n", None),
        (b"{}", {}),
        (b'{"labels": {"a": "\xc3\xa9"}}', {"labels": {"a": "é"}}),
        (b"null", None),
        (b"[1]", [1]),
        (b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"', "x" * (MAX_BODY_BYTES - 2)),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_body_is_json_or_nothing(body: bytes, value: object) -> None:
    assert json_body(body) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", r"not JSON: Expecting property name .*\(character 2\)"),
        (b"labels=a", r"not JSON: Expecting value \(character 1\)"),
        (b"'{labels: {team: maps}}'", r"not JSON: Expecting value \(character 1\)"),
        (b'{"a": "\xe9"}', "not UTF-8"),
        (b"\xff\xfe\xfa", "not UTF-8"),
        (b'{"a": \x00}', r"not JSON: Expecting value \(character 7\)"),
        (b"[" * 60_000, "not JSON that can be read"),
        (b"1" * 5_000, "not JSON that can be read"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_body_that_is_not_json_is_refused(body: bytes, words: str) -> None:
    """The third one is what cmd.exe makes of single quotes, the fourth one is PowerShell 5.1's."""
    with pytest.raises(RequestError, match=f"the body is {words}"):
        json_body(body)


def test_a_body_that_is_too_long_is_refused() -> None:
    with pytest.raises(RequestError, match="longer than 65,536 bytes"):
        json_body(b" " * (MAX_BODY_BYTES + 1))


def test_an_unknown_word_of_a_query_is_refused_by_name() -> None:
    refuse_unknown_words({"code": "key", "clientId": "name", "stage": ""}, {"stage"})
    with pytest.raises(RequestError, match="'stages': only limit, stage can be in it"):
        refuse_unknown_words({"stages": "x", "stage": "x"}, {"stage", "limit"})
    with pytest.raises(RequestError, match="'Code', 'a': it must be empty"):
        refuse_unknown_words({"a": "", "Code": ""})
    with pytest.raises(RequestError) as caught:
        refuse_unknown_words(f"{number}" + "x" * 900 for number in range(900))
    assert len(str(caught.value)) < 400


def test_each_type_of_problem_has_its_section_and_no_other_has() -> None:
    """With its whole type, status and title, so that a reader finds what the answer says."""
    page = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([a-z-]+)\n\n(.*)$", page, re.MULTILINE))
    assert sections == {
        kind.name: f"`{TYPE_PREFIX}{kind.name}`: `{kind.status}` {kind.title}"
        for _, kind in PROBLEMS
    }
    assert len({kind.name for _, kind in PROBLEMS}) == len(PROBLEMS)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (JobUnknown("x"), "job-unknown"),
        (DocumentMissing("x"), "document-missing"),
        (StageForbids("x"), "stage-forbids"),
        (RequestError("x"), "request-invalid"),
        (RecordConflict("x"), "job-changed"),
        (RecordUnreadable("x"), "record-unreadable"),
        (StoreMissing("x"), "storage-failed"),
        (GemUnavailable("x"), "gem-unanswered"),
        (OutputUnreachable("x"), "app-failed"),
        (ZeroDivisionError("x"), "app-failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_the_type_of_a_problem_names_its_cause(error: CourierError, name: str) -> None:
    assert json.loads(raising(error).body)["type"] == TYPE_PREFIX + name
