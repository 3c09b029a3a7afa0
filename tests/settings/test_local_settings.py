"""A settings file is read as Core Tools reads it; what is wrong is named, and never shown."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import SettingsError
from gem_core.settings.local_settings import read_settings_file

SECRET = "AccountName=a;AccountKey=c2VjcmV0;BlobEndpoint=https://a.example//c/*d*/"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "local.settings.json"


def values(file: Path, text: str) -> dict[str, str]:
    file.write_text(text, encoding="utf-8")
    return read_settings_file(file)


def problems(file: Path, text: str) -> list[str]:
    """What is wrong, after the name of the file."""
    with pytest.raises(SettingsError) as caught:
        values(file, text)
    assert "c2VjcmV0" not in str(caught.value)
    assert all(line.startswith(str(file)) for line in caught.value.problems)
    return [line.removeprefix(str(file)) for line in caught.value.problems]


def test_comments_and_trailing_commas_are_passed_over(file: Path) -> None:
    text = """
    // of this machine
    {
      "IsEncrypted": false, /* not
      yet */
      "Values": {
        "GEM_STATE": "UseDevelopmentStorage=true", // "GEM_STATE": "other",
        /* "GEM_OUTPUT": "other", */
        "GEM_OUTPUT": "http://127.0.0.1/*x*/,}", // a comma,
      },
    }
    """
    assert values(file, text) == {
        "GEM_STATE": "UseDevelopmentStorage=true",
        "GEM_OUTPUT": "http://127.0.0.1/*x*/,}",
    }


def test_numbers_and_words_are_texts_and_null_is_absent(file: Path) -> None:
    text = '{"Values": {"A": 0, "B": 1.50, "C": -1e3, "D": true, "E": false, "F": null, "G": ""}}'
    assert values(file, text) == {
        "A": "0", "B": "1.50", "C": "-1e3", "D": "true", "E": "false", "G": "",
    }  # fmt: skip


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["// no comment", "/* none */", ",}", '",]', 'a\\"//b', "\\", SECRET]
)


@given(held=st.dictionaries(TEXTS, TEXTS, max_size=5), escaped=st.booleans())
def test_whatever_stands_in_a_text_stays(
    tmp_path_factory: pytest.TempPathFactory, *, held: dict[str, str], escaped: bool
) -> None:
    file = tmp_path_factory.mktemp("settings") / "local.settings.json"
    text = json.dumps({"Values": held}, indent=1, ensure_ascii=escaped)
    assert values(file, text) == held
    # The last comma of an object is one too many; a comment goes wherever a blank does.
    lines = text.replace("\n }\n", ",\n }\n").split("\n")
    assert values(file, " // a\n/* b */".join(lines)) == held


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_files_of_other_editors_are_read(file: Path, encoding: str) -> None:
    file.write_text('{"Values": {"A": "é"}}', encoding=encoding)
    assert read_settings_file(file) == {"A": "é"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ", line 1: not JSON"),
        ("{", ", line 1: not JSON"),
        ("[]", " has no object Values"),
        ("{}", " has no object Values"),
        ('{"Values": ["A"]}', " has no object Values"),
        ('{"IsEncrypted": true, "Values": {"A": "x"}}', " is encrypted: run func settings decrypt"),
        ('{"IsEncrypted": "True", "Values": {}}', " is encrypted: run func settings decrypt"),
        ("[" * 100_000, " is nested too deep"),
    ],
)
def test_what_is_no_settings_file(file: Path, text: str, said: str) -> None:
    (problem,) = problems(file, text)
    assert problem.startswith(said)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_settings_file(file)
    file.write_bytes(b'{"Values": {"A": "\xe9"}}')
    with pytest.raises(SettingsError, match="is not UTF-8 or UTF-16"):
        read_settings_file(file)


@pytest.mark.parametrize(
    "line", [f'"GEM_STATE": "{SECRET}"', f'"GEM_STATE": "{SECRET},', f'"GEM_STATE": {SECRET},']
)
def test_a_mistake_is_named_by_its_line_and_the_setting_before_it(file: Path, line: str) -> None:
    """A missing comma, a missing quote, no quotes; comments before it count as lines."""
    text = '{\n/* a\n comment */\n"Values": {\n"GEM_API_KEY": "k",\n' + line + '\n"A": "x"\n}}'
    (problem,) = problems(file, text)
    assert problem.startswith((", line 6, at or after GEM_STATE: ", ", line 7, at or after GEM_"))


def test_every_value_that_is_no_text_is_named_with_its_line(file: Path) -> None:
    text = f'{{\n"Values": {{\n"GEM_STATE": ["{SECRET}"],\n"A": 1,\n"GEM_OUTPUT": {{}}\n}}}}'
    assert problems(file, text) == [
        ", line 3: GEM_STATE is an object or a list, not a text",
        ", line 5: GEM_OUTPUT is an object or a list, not a text",
    ]
