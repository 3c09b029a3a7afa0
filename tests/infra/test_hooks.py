"""The stub of az tells one run of the hook from another."""

from tests.infra.contract import ROOT
from tests.infra.hooks import run_hook


def test_the_hook_hands_the_outputs_on() -> None:
    done = run_hook(ROOT, key_at=2)
    assert done.steps == ["functionapp"] * 2 + ["deployment"]
    deployment = done.calls[-1]
    for given in ("appName=app_name", "topicName=topic_name", "stateStorageId=state_storage_id"):
        assert given in deployment
    assert "infra/events.bicep" in deployment


def test_the_key_is_on_no_command_line() -> None:
    """Only whether it exists is asked."""
    asked = run_hook(ROOT).calls[0]
    assert "contains(keys(systemKeys" in asked
    assert "--output tsv" in asked
