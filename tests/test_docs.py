"""The documents agree with the code: settings, manifest, routes, modules."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient
from jsonschema import Draft202012Validator, FormatChecker

from gem_core.errors import SettingsError
from gem_core.logs import Event
from gem_core.outcome import Outcome
from gem_core.settings.app_settings import read_settings
from gem_core.storage.names import CONTAINERS
from gem_core.watch import registration
from tests.builders import SCHEMA
from tests.published import HOSTS_OWN, README, ROOT, SAMPLE, settings_of_the_code


def settings_of_the_docs() -> set[str]:
    """The names in the first column of the table of settings."""
    table = (ROOT / "docs" / "settings.md").read_text("utf-8")
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([A-Z][A-Za-z_]+)`", cell)}


def test_sample_and_code_agree() -> None:
    """The sample holds exactly the settings that the code reads."""
    assert settings_of_the_code() == set(SAMPLE) - HOSTS_OWN


def test_docs_and_sample_agree() -> None:
    """docs/settings.md lists exactly the sample's settings."""
    assert settings_of_the_docs() == set(SAMPLE) - HOSTS_OWN


def test_sample_has_the_defaults() -> None:
    """The sample shows the default of each setting, except for those about this machine."""
    needed = ("GEM_API_KEY", "GEM_STATE", "GEM_OUTPUT", "GEM_CHECK_SCHEDULE")
    required = {name: SAMPLE[name] for name in needed}
    here = {"GEM_API_BASE_URL", "GEM_BEARER_TOKEN", "GEM_TRIGGER_SOURCE"}
    shown = read_settings(
        {name: value for name, value in SAMPLE.items() if name not in here} | required
    )
    assert read_settings(required) == shown


def test_the_sample_connects_to_the_emulator() -> None:
    """The SDK does not know the short form that the sample and the host use."""
    state = read_settings(SAMPLE).state.connection_string
    assert state
    with BlobServiceClient.from_connection_string(state.reveal()) as blobs:
        assert blobs.url == "http://127.0.0.1:10000/devstoreaccount1/"


def json_after(mark: str, text: str) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(text.partition(mark)[2].partition("```json")[2].partition("```")[0])


def is_part(some: Any, whole: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Whether all members of the one, at any depth, are in the other."""
    if isinstance(some, dict):
        return all(name in whole and is_part(each, whole[name]) for name, each in some.items())
    return bool(some == whole)


def test_the_documents_show_a_real_manifest() -> None:
    """It is valid by the published schema, and README shows some of its members."""
    page = (ROOT / "docs" / "manifest.md").read_text(encoding="utf-8")
    event = json_after("<!-- manifest -->", page)
    some = json_after("<!-- some of a manifest -->", README)
    assert is_part(some, event)
    assert not is_part(some | {"id": "x"}, event)
    Draft202012Validator(SCHEMA, format_checker=FormatChecker()).validate(event)
    assert event["data"]["outcome"] == "valid_with_warnings"


def test_schema_and_code_accept_the_same_job_ids() -> None:
    pattern = SCHEMA["$defs"]["data"]["properties"]["jobRunId"]["pattern"]
    assert pattern == f"^{registration._JOB_RUN_ID.pattern}$"


def test_readme_names_every_outcome_and_container() -> None:
    assert [word for word in (*Outcome, *CONTAINERS) if f"`{word}`" not in README] == []


def test_the_index_in_readme_links_every_document() -> None:
    index = README.partition("\n## More\n")[2]
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "docs/decisions/README.md"]
    pages.remove(ROOT / "README.md")
    missing = [page.name for page in pages if f"({page.relative_to(ROOT)})" not in index]
    assert missing == []


def test_the_page_about_http_names_every_route() -> None:
    """With its method."""
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    tree = ast.parse((ROOT / "gem_core/functions.py").read_text(encoding="utf-8"))
    routes = {
        f"`{ast.literal_eval(call.keywords[0].value)[0]} /api/{ast.literal_eval(call.args[0])}`"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "route"
    }
    assert len(routes) == 20
    assert [route for route in routes if route not in page] == []


def test_every_event_is_logged_somewhere() -> None:
    """An alert on an event that nothing logs would never fire."""
    files = [path for path in (ROOT / "gem_core").rglob("*.py") if path.name != "logs.py"]
    code = "".join(path.read_text("utf-8") for path in files)
    assert [event for event in Event if not re.search(rf"Event\.{event.name}\b", code)] == []


DECISIONS = sorted((ROOT / "docs" / "decisions").glob("0*.md"))


def numbers(text: str) -> set[int]:
    """Of decisions. What is in brackets says why, and where a link leads."""
    return {int(number) for number in re.findall(r"\b\d+\b", re.sub(r"\([^)]*\)", "", text))}


def decisions_after(verbs: str, status: str) -> set[int]:
    """All that a status names after one of the verbs: "amends 4 and 90; replaced by 119"."""
    parts = re.findall(rf"\b(?:{verbs})\b([^;.]*)", re.sub(r"\([^)]*\)", "", status))
    return set().union(*map(numbers, parts))


def test_decisions_and_their_index_agree_on_what_no_longer_holds_as_written() -> None:
    """A page names the later ones that change it. The index has the same, and those name it."""
    index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\d+)\. .*\) \| (.*) \|$", index, re.MULTILINE)
    status = {
        int(path.name[:4]): path.read_text("utf-8").partition("**Status**")[2].partition("\n\n")[0]
        for path in DECISIONS
    }
    later = {
        page: decisions_after("(?:amended|replaced) by", text) for page, text in status.items()
    }
    assert {int(page): numbers(text) for page, text in rows} == {
        page: pages for page, pages in later.items() if pages
    }
    for page, text in status.items():
        for earlier in decisions_after("amends|replaces", text):
            known = page in later[earlier] or "replaced by" in status[earlier]
            assert known, f"the status of {earlier} does not say that {page} changes it"


@pytest.mark.parametrize("path", DECISIONS)
def test_decisions_stay_short_and_complete(path: Path) -> None:
    """At most 40 lines, with the four headings."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    for heading in ("**Status**", "**Context.**", "**Decision.**", "**Consequences.**"):
        assert heading in text


def test_nothing_names_a_setting_that_is_gone() -> None:
    """No document names a GEM_ setting that the sample does not have.

    Only CHANGELOG's row of renamed settings has former names.
    """
    known = set(SAMPLE)
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if path.name == "CHANGELOG.md":
            text = re.sub(r"^\| settings \|.*$", "", text, flags=re.MULTILINE)
        for name in re.findall(r"`(GEM_[A-Za-z_]+)`", text):
            assert name in known, f"{path.name} names {name}"


def headings(page: Path) -> set[str]:
    return set(re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE))


def texts(path: Path) -> Iterator[str]:
    """Every text in a module, with "…" in place of values."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(node.values)
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
            yield node.value


PLACE = re.compile(r"\b(README|[\w./-]+\.md|docs/decisions/\d{4}[\w-]*)\b(?:, ([A-Z][\w -]+))?")
"""A page, and perhaps one of its sections: "docs/scale.md, Memory of an instance"."""


def test_every_hint_leads_to_a_page_and_a_section() -> None:
    """In what the app, the doctor and the commands say, and in docstrings."""
    modules = [path for folder in ("gem_core", "devkit") for path in (ROOT / folder).rglob("*.py")]
    sections, pages = [], set()
    for path in modules:
        for name, section in (found for text in texts(path) for found in PLACE.findall(text)):
            page = name if name.endswith(".md") else f"{name}*.md"
            targets = [*ROOT.glob(page), *path.parent.glob(page)]
            assert targets, f"{path.name} names {name}"
            pages.add(name)
            if section:
                assert section in headings(targets[0]), f"{path.name}: {name}, {section}"
                sections.append(section)
    assert {"Routes", "Rotate the key", "Memory of an instance"} <= set(sections)
    assert {"docs/settings.md", "docs/problems.md", "docs/decisions/0092"} <= pages


def test_every_link_leads_somewhere() -> None:
    """To a file of the checkout, and to a heading that the file has."""
    examples = (ROOT / "examples" / "listeners").glob("*.md")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *examples):
        for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
            place, _, heading = link.partition("#")
            target = path.parent / place if place else path
            assert target.exists(), f"{path.name} links {link}"
            if heading:
                assert heading in {title.lower().replace(" ", "-") for title in headings(target)}, (
                    link
                )


def test_all_invalid_settings_are_reported_together() -> None:
    """An operator can correct them with one deployment."""
    with pytest.raises(SettingsError) as error:
        read_settings({"GEM_CHECK_SCHEDULE": "often", "GEM_OUTPUT_GRACE_MINUTES": "soon"})
    named = {"GEM_API_KEY", "GEM_STATE", "GEM_OUTPUT", "GEM_CHECK_SCHEDULE"}
    assert all(name in str(error.value) for name in named | {"GEM_OUTPUT_GRACE_MINUTES"})


def test_every_make_target_in_the_documents_exists() -> None:
    """Each target exists once and is phony: a merge of two changes has lost one before."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    phony = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split()
    assert sorted(targets) == sorted(phony)
    pages = [README, *(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md"))]
    pages += [(ROOT / name).read_text("utf-8") for name in ("CONTRIBUTING.md", "DESIGN.md")]
    pages += [path.read_text("utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    usage = re.compile(r"(?:^|`|run: )make ([a-z]+(?:-[a-z]+)*)", re.MULTILINE)
    named = {name for page in pages for name in usage.findall(page)}
    assert {"check", "test", "infra-check"} <= named
    assert named - set(targets) == set()
