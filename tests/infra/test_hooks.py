"""The hook after a deployment, run with a stub of az."""

from tests.infra.contract import ROOT
from tests.infra.hooks import run_hook


def test_the_hook_passes_the_outputs_to_bicep() -> None:
    done = run_hook(ROOT, key_at=2)
    assert done.steps == ["functionapp"] * 2 + ["deployment"]
    deployment = done.calls[-1]
    for parameter in (
        "appName=app_name",
        "topicName=topic_name",
        "stateStorageId=state_storage_id",
    ):
        assert parameter in deployment
    assert "infra/events.bicep" in deployment


def test_the_key_is_on_no_command_line() -> None:
    """The hook asks only whether the key exists."""
    call = run_hook(ROOT).calls[0]
    assert "contains(keys(systemKeys" in call
    assert "--output tsv" in call
