"""Every setting has a default or is required; all problems are reported together."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_core.errors import SettingsError
from gem_core.secret import Secret
from gem_core.settings.app_settings import (
    InputCompare,
    QueueEncoding,
    Settings,
    TriggerSource,
    read_settings,
    read_state_settings,
)
from gem_core.settings.connection import Connection
from gem_core.settings.ncrontab import Schedule
from gem_core.settings.reader import KEY_VAULT_REFERENCE
from gem_core.settings.route import Route
from tests.published import SAMPLE
from tests.settings.least import CLIENT, LEAST, MINUTELY, STORAGE, TENANT, problems, read


def test_every_setting_has_its_default() -> None:
    state = Connection("GEM_STATE", connection_string=Secret(STORAGE))
    assert read() == Settings(
        gem_base_url="https://api.tomtom.com/maps/orbis/platform/gem",
        gem_api_key=Secret("top-secret-key"),
        gem_api_version="1",
        gem_token_scope="https://gem.core.orbis.tomtom.com/.default",
        gem_principal=None,
        gem_bearer_token=None,
        check_schedule=Schedule.parse(MINUTELY),
        check_min=timedelta(seconds=30),
        check_max=timedelta(minutes=10),
        check_concurrency=16,
        check_requests_per_second=10,
        check_batch_size=0,
        job_deadline=timedelta(hours=168),
        lost_after=timedelta(minutes=60),
        keep=timedelta(0),
        output_grace=timedelta(minutes=30),
        discover=(),
        discover_max_age=timedelta(hours=24),
        discover_every=timedelta(minutes=10),
        repeat_ticket_after=timedelta(minutes=15),
        state=state,
        routes=(Route("default", "gem-results"),),
        results_queue_encoding=QueueEncoding.BASE64,
        output=Connection("GEM_OUTPUT", connection_string=Secret(STORAGE)),
        output_container="default",
        input_audit=True,
        input_compare=InputCompare.IDS,
        ids_memory_bytes=64 << 20,
        ids_disk_bytes=512 << 20,
        ids_folder=None,
        report_page=True,
        report_map=True,
        report_page_url="",
        failing_rows=0,
        overture=None,
        overture_max_bytes=2 << 30,
        trigger_source=TriggerSource.EVENT_GRID,
    )


def test_the_sample_is_complete_and_right() -> None:
    chosen = read_settings(SAMPLE)
    assert chosen.trigger_source is TriggerSource.CONTAINER_SCAN
    assert chosen.gem_principal is None


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(
            {
                "GEM_CHECK_SCHEDULE": "* * * *",
                "GEM_CHECK_CONCURRENCY": "0",
                "GEM_RESULTS_QUEUE": "Upper",
                "GEM_INPUT_AUDIT": "maybe",
                "GEM_TENANT_ID": TENANT,
            }
        )
    names = [line.split()[0] for line in caught.value.problems]
    assert sorted(names) == [
        "GEM_API_KEY",
        "GEM_CHECK_CONCURRENCY",
        "GEM_CHECK_SCHEDULE",
        "GEM_CLIENT_ID",
        "GEM_CLIENT_SECRET",
        "GEM_INPUT_AUDIT",
        "GEM_OUTPUT",
        "GEM_RESULTS_QUEUE",
        "GEM_STATE",
    ]
    assert str(caught.value).count("\n  * ") == 9


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_setting_is_as_if_it_was_not_there(empty: str) -> None:
    """All of the sample, whatever is added to it; README gives an empty version a meaning."""
    of_its_own = {"GEM_API_VERSION"}
    names = {name for name in SAMPLE if name.startswith("GEM_")} - set(LEAST) - of_its_own
    names |= {"GEM_STATE__blobServiceUri", "GEM_OUTPUT__credential"}
    assert read(**dict.fromkeys(names, empty)) == read()
    assert problems(GEM_API_KEY=empty) == ("GEM_API_KEY is missing",)


REFERENCES = (
    f"{KEY_VAULT_REFERENCE}SecretUri=https://vault.example/secrets/a)",
    "@microsoft.keyvault(VaultName=vault;SecretName=a)",
)


@pytest.mark.parametrize("reference", REFERENCES, ids=["uri", "lower-case"])
@pytest.mark.parametrize("name", [name for name in SAMPLE if name.startswith("GEM_")])
def test_an_unresolved_key_vault_reference_is_said_to_be_one(name: str, reference: str) -> None:
    """Every setting may be one, so every secret is among them."""
    lines = problems(**{name: reference})
    assert any(line.startswith(f"{name} is an unresolved Key Vault reference") for line in lines)
    assert not any("not a storage connection string" in line for line in lines)


@pytest.mark.parametrize("empty", [{}, {"GEM_CHECK_SCHEDULE": ""}, {"GEM_CHECK_SCHEDULE": " "}])
def test_the_app_needs_a_schedule_because_the_trigger_has_no_default(empty: dict[str, str]) -> None:
    given = {name: value for name, value in LEAST.items() if name != "GEM_CHECK_SCHEDULE"} | empty
    with pytest.raises(SettingsError) as caught:
        read_settings(given)
    (line,) = caught.value.problems
    assert line.startswith("GEM_CHECK_SCHEDULE is missing or empty")
    assert read_state_settings(given).check_schedule.text == MINUTELY  # enough for a command


@pytest.mark.parametrize("show", [str, repr, "{}".format])
def test_no_secret_shows_itself(show: Callable[[object], str]) -> None:
    chosen = read(GEM_BEARER_TOKEN="bearer-secret", GEM_CLIENT_SECRET="x-secret",
                  GEM_TENANT_ID=TENANT, GEM_CLIENT_ID=CLIENT)  # fmt: skip
    shown = show(chosen) + show(chosen.gem_api_key)
    for secret in ("top-secret-key", "c2VjcmV0LWtleQ", "bearer-secret", "x-secret"):
        assert secret not in shown
    assert chosen.gem_api_key.reveal() == "top-secret-key"
    assert str(chosen.gem_api_key) == "***"


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "GEM_CHECK_MIN_SECONDS",
                "GEM_CHECK_SCHEDULE",
                "GEM_CHECK_CONCURRENCY",
                "GEM_API_BASE_URL",
                "GEM_RESULTS_QUEUE",
                "GEM_INPUT_AUDIT",
                "GEM_STATE__blobServiceUri",
                "GEM_OUTPUT__credential",
                "GEM_TENANT_ID",
            ]
        ),
        st.text(max_size=12) | st.sampled_from(["0 0 * * * *", "5", "https://a.example"]),
    )
)
def test_any_text_is_a_setting_or_a_named_problem(changes: dict[str, str]) -> None:
    with suppress(SettingsError):
        read(**changes)
