"""Parts that do not fit together: Bicep, the app, its parameters and its package."""

from tests.infra.mistakes.mistake import Mistake

MISTAKES = {
    "unknown deployment parameter": Mistake(
        "infra/main.parameters.json", '"outputContainer"', '"outputContaner"', "parameters"
    ),
    "container of dead letters that does not exist": Mistake(
        "infra/events.bicep", "'gem-deadletter'", "'gem-deadletters'", "stores"
    ),
    "missing setting": Mistake(
        "infra/modules/app.bicep",
        "  GEM_STATE__queueServiceUri: 'https://${stateStorageName}.queue.${storageSuffix}'\n",
        "",
        "settings",
    ),
    "misspelt setting": Mistake(
        "infra/modules/app.bicep", "GEM_RESULTS_QUEUE:", "GEM_RESULT_QUEUE:", "settings"
    ),
    "unset schedule": Mistake(
        "infra/modules/app.bicep", "  GEM_CHECK_SCHEDULE: checkSchedule\n", "", "bindings"
    ),
    "renamed queue": Mistake(
        "infra/modules/stores.bicep", "'gem-batches'", "'gem-batch'", "bindings"
    ),
    "queue of batches that is not created": Mistake(
        "infra/modules/stores.bicep", ", [batchesQueue])", ")", "bindings"
    ),
    "renamed container": Mistake(
        "infra/modules/stores.bicep", "'gem-worklist'", "'gem-worklists'", "stores"
    ),
    "other container's events": Mistake(
        "infra/events.bicep", "containers/gem-tickets/blobs/", "containers/gem-tickets", "bindings"
    ),
    "other function": Mistake(
        "infra/events.bicep", "deliver_results", "deliver_result", "bindings"
    ),
    "service without a site": Mistake(
        "infra/modules/app.bicep",
        "'azd-service-name': 'courier'",
        "'azd-service-name': 'app'",
        "azure_yaml",
    ),
    "queue that is not created": Mistake(
        "infra/main.bicep", "queuesOf(resultsQueue", "queuesOf(topicName", "stores"
    ),
    "queue of another name": Mistake(
        "infra/main.bicep", "resultsQueue = 'gem-results'", "resultsQueue = 'gem-result'", "stores"
    ),
    "events without dead letters by identity": Mistake(
        "infra/events.bicep", "deadLetterWithResourceIdentity", "deadLetterDestination", "bindings"
    ),
    "events of every blob": Mistake(
        "infra/events.bicep", "      subjectEndsWith: '.json'\n", "", "bindings"
    ),
    "parameter that azd cannot set": Mistake(
        "infra/main.parameters.json", "LOG_QUOTA_GB=1", "LOG_QUOTA=1", "parameters"
    ),
    "hook without a file for Windows": Mistake(
        "azure.yaml", "infra/hooks/postdeploy.ps1", "infra/hooks/postdeploy.psm1", "azure_yaml"
    ),
    "tests deployed": Mistake(".funcignore", "tests/\n", "", "package"),
    "bench deployed": Mistake(".funcignore", "bench/\n", "", "package"),
    "the app left out": Mistake(".funcignore", "infra/\n", "infra/\ngem_core/\n", "package"),
    "dependency that is not locked": Mistake(
        "pyproject.toml", '"pyarrow~=26.0"', '"pyarrow~=99.0"', "lock"
    ),
    "dependency without hashes": Mistake(
        "requirements.txt", "    --hash=sha256:", "    # sha256:", "lock"
    ),
    "another version of Python": Mistake(
        "infra/modules/app.bicep", "version: '3.13'", "version: '3.12'", "runtime"
    ),
}
