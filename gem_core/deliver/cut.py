"""Shortens an event so that a queue accepts it as a message; the report has the whole event. Pure.

Azure Queue Storage accepts 64 KiB of text in a message, which is 48 KiB before base64 ("Scalability
and performance targets for Queue Storage").
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

MAX_BODY_BYTES = 48 * 1024

_MAX_TEXT = 200
_MAX_COLUMNS = 100

type _Data = dict[str, Any]


def cut_to_fit(event: Mapping[str, Any], *, limit: int = MAX_BODY_BYTES) -> str:
    """The event as ASCII JSON of at most `limit` bytes.

    Parts are shortened or left out in a fixed order, the least important first, until the event
    fits; `data.cut` names them. What remains after the last cut is short: ids, counts, names of
    checks, the address of the report.
    """
    body = _text(event)
    for names, cut in _CUTS:
        if len(body) <= limit:
            break
        data = dict(event["data"])
        cut(data)
        data["cut"] = list(dict.fromkeys([*data["cut"], *names]))
        event = {**event, "data": data}
        if cut is _cut_names and "subject" in event:
            event["subject"] = event["subject"][:_MAX_TEXT]
        body = _text(event)
    return body


def _text(event: Mapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=True, separators=(",", ":"))


def _cut_examples(data: _Data) -> None:
    data["checks"] = data["checks"] | {
        "notPassed": [
            {name: value for name, value in check.items() if name != "examples"}
            for check in data["checks"]["notPassed"]
        ]
    }


def _cut_differences(data: _Data) -> None:
    if data["input"]:
        data["input"] = {**data["input"], "differences": []}


def _cut_columns(data: _Data) -> None:
    if data["output"] and data["output"].get("columns"):
        columns = [
            {name: text[:_MAX_TEXT] for name, text in column.items()}
            for column in data["output"]["columns"][:_MAX_COLUMNS]
        ]
        data["output"] = {**data["output"], "columns": columns}


def _cut_answer(data: _Data) -> None:
    if data["job"]:
        data["job"] = {**data["job"], "answer": None}


def _cut_history(data: _Data) -> None:
    history = data["settlement"]["history"]
    data["settlement"] = data["settlement"] | {"history": history[:1] + history[1:][-9:]}


def _cut_statistics(data: _Data) -> None:
    data["statistics"] = None


def _cut_checks(data: _Data) -> None:
    data["checks"] = data["checks"] | {
        "notPassed": [
            {name: check[name] for name in ("name", "severity", "verdict", "title")}
            for check in data["checks"]["notPassed"]
        ]
    }


def _cut_names(data: _Data) -> None:
    for part in ("output", "input"):
        if data[part]:
            data[part] = _short(data[part], "name", "note")
    if data["output"]:
        data["output"]["columns"] = None
    if data["job"]:
        data["job"] = _short(data["job"], *data["job"])


def _drop_job(data: _Data) -> None:
    data["job"] = None
    data["drift"] = []
    data["settlement"] = data["settlement"] | {"history": []}


def _drop_url(data: _Data) -> None:
    """Leave out the whole address: a shortened address would be that of another file."""
    if data["output"]:
        data["output"] = {**data["output"], "url": None}


def _cut_search(data: _Data) -> None:
    data["search"] = None


def _cut_rest(data: _Data) -> None:
    """Shorten what is already limited at registration, for a record that another program wrote."""
    data["labels"] = {}
    data["settlement"] = _short(data["settlement"], "lastProblem", "lastHeard")
    if data["output"]:
        data["output"] = _short(data["output"], "container", "etag", "versionId")


def _short(part: Mapping[str, Any], *names: str) -> _Data:
    """The part with these texts shortened. A name that is missing or not a text is ignored."""
    texts = {name: text for name in names if isinstance(text := part.get(name), str)}
    return {**part, **{name: text[:_MAX_TEXT] for name, text in texts.items()}}


_CUTS: tuple[tuple[tuple[str, ...], Callable[[_Data], None]], ...] = (
    (("checks.notPassed.examples",), _cut_examples),
    (("input.differences",), _cut_differences),
    (("output.columns",), _cut_columns),
    (("job.answer",), _cut_answer),
    (("settlement.history",), _cut_history),
    (("statistics",), _cut_statistics),
    (("checks.notPassed.detail",), _cut_checks),
    (("subject", "output.name", "output.columns", "input.name", "input.note", "job"), _cut_names),
    (("job", "drift", "settlement.history"), _drop_job),
    (("output.url",), _drop_url),
    (("search",), _cut_search),
    (
        (
            "labels",
            "settlement.lastProblem",
            "settlement.lastHeard",
            "output.container",
            "output.etag",
            "output.versionId",
        ),
        _cut_rest,
    ),
)
"""Each cut, and the members that it shortens or leaves out."""
