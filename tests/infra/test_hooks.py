"""The hook after a deployment, run with stubs of az and curl."""

import pytest

from tests.infra.contract import ROOT
from tests.infra.hooks import CASES, departures, run_hook, shells

without_pwsh = pytest.mark.skipif(
    "postdeploy.ps1" not in shells(), reason="pwsh is not on the PATH; GitHub's CI installs it"
)


@pytest.mark.parametrize("case", CASES)
def test_the_hook_for_sh_does_what_each_case_says(case: str) -> None:
    assert departures(ROOT, case, "postdeploy.sh") == []


@pytest.mark.slow
@without_pwsh
@pytest.mark.parametrize("case", CASES)
def test_the_hook_for_powershell_does_what_each_case_says(case: str) -> None:
    assert departures(ROOT, case, "postdeploy.ps1") == []


def test_the_hook_passes_the_outputs_to_bicep() -> None:
    deployment = run_hook(ROOT, {}).calls[-1]
    for parameter in (
        "--subscription azure_subscription_id",
        "appName=app_name",
        "topicName=topic_name",
        "stateStorageId=state_storage_id",
    ):
        assert parameter in deployment
    assert "infra/events.bicep" in deployment


def test_the_key_is_in_no_call_and_no_output() -> None:
    """The hook asks only how long the key is."""
    done = run_hook(ROOT, {"KEY_AT": "2"})
    [call, *_] = [call for call in done.calls if "keys list" in call]
    assert "--query length(not_null(systemKeys.blobs_extension, ''))" in call
    assert "--output tsv" in call
    assert "56" not in done.stdout + done.stderr


def test_it_waits_ten_seconds_for_the_app_and_twenty_for_the_handshake() -> None:
    done = run_hook(ROOT, {"HEALTH": "000 200", "SUBSCRIBED_AT": "3"})
    assert [call for call in done.calls if call.startswith("sleep")] == [
        "sleep 10",
        "sleep 20",
        "sleep 20",
    ]


def test_what_it_could_not_look_at_is_told() -> None:
    assert (
        "whether its functions are indexed was not looked at"
        in run_hook(ROOT, {"HEALTH": "403"}).stdout
    )


def test_it_can_be_repeated() -> None:
    once, again = (run_hook(ROOT, {}) for _ in range(2))
    assert once == again
