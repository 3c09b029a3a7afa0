"""Mistakes in queries, alerts, hooks and workflows."""

from tests.infra.mistakes.mistake import Mistake

MISTAKES = {
    "alert with the query of another": Mistake(
        "infra/modules/alerts.bicep", "name: 'gem-drifted'", "name: 'gem-refuses'", "alerts"
    ),
    "action by its tag": Mistake(
        ".github/workflows/deploy.yml",
        "Azure/login@f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca # v3.0.1",
        "Azure/login@v3",
        "workflows",
    ),
    "workflow that may write": Mistake(
        ".github/workflows/ci.yml", "contents: read", "contents: write", "workflows"
    ),
    "deployment without checks": Mistake(
        ".github/workflows/deploy.yml", "    needs: check\n", "", "workflows"
    ),
    "code deployed with the rights of the one that provisions": Mistake(
        ".github/workflows/deploy.yml",
        "environment: production",
        "environment: infrastructure",
        "workflows",
    ),
    "compiler that is not pinned": Mistake(
        ".github/workflows/ci.yml", " --version v0.49.2", "", "workflows"
    ),
    "deployment by any push": Mistake(
        ".github/workflows/deploy.yml", 'tags: ["v*"]', 'branches: ["main"]', "workflows"
    ),
    "upload that is tried once": Mistake(
        ".github/workflows/deploy.yml", "for try in 1 2 3", "for try in 1", "workflows"
    ),
    "secret in a workflow": Mistake(
        ".github/workflows/deploy.yml", "vars.AZURE_CLIENT_ID", "secrets.AZURE_CLIENT", "workflows"
    ),
    "misspelt column": Mistake(
        "infra/queries/gem-refuses.kql", "Message startswith", "Mesage startswith", "kql"
    ),
    "function that KQL does not have": Mistake(
        "infra/workbook.json", "percentile(seconds, 50)", "median(seconds)", "kql"
    ),
    "event that nothing logs": Mistake(
        "infra/queries/gem-drifted.kql", "'job_drifted'", "'job_drift'", "words"
    ),
    "fact that no event has": Mistake(
        "infra/workbook.json", "line.open_jobs", "line.open", "words"
    ),
    "query that no alert runs": Mistake(
        "infra/modules/alerts.bicep", "gem-drifted.kql", "gem-refuses.kql", "alerts"
    ),
    "function that is missing in the alert on failures": Mistake(
        "infra/queries/function-failures.kql", "'deliver_results'", "'deliver'", "alerts"
    ),
    "output that the hook needs": Mistake(
        "infra/main.bicep", "output TOPIC_NAME", "output EVENT_TOPIC_NAME", "hooks"
    ),
    "hook without wait": Mistake(
        "infra/hooks/postdeploy.sh", "until is_ready", "until true", "hooks"
    ),
    "hook that waits for ever": Mistake(
        "infra/hooks/postdeploy.sh", '[ "$try" -lt "$tries" ]', '[ "$try" -lt 50 ]', "hooks"
    ),
    "hook that hides a failed deployment": Mistake(
        "infra/hooks/postdeploy.sh",
        '[ "$try" -lt 3 ] || stop',
        '[ "$try" -lt 3 ] || break; :',
        "hooks",
    ),
    "hook that is not POSIX sh": Mistake(
        "infra/hooks/postdeploy.sh", "try=$((try + 1))", 'tried+=("$try")', "hooks"
    ),
    "hook that uses az's own default subscription": Mistake(
        "infra/hooks/postdeploy.sh",
        'az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID"',
        "az deployment group create",
        "hooks",
    ),
    "hook that takes a missing function for a slow start": Mistake(
        "infra/hooks/postdeploy.sh", '[ "$code" = 404 ]', '[ "$code" = 405 ]', "hooks"
    ),
    "hook that does not look at the sign-in": Mistake(
        "infra/hooks/postdeploy.sh", "az account show", "true account show", "hooks"
    ),
    "hook that reads no carriage return": Mistake(
        "infra/hooks/postdeploy.sh", "tr -d '\\r'", "cat", "hooks"
    ),
    "message in one of the two hooks": Mistake(
        "infra/hooks/postdeploy.ps1", "az is not installed", "az is missing", "powershell"
    ),
    "wait in one of the two hooks": Mistake(
        "infra/hooks/postdeploy.ps1", "else { '20' }", "else { '2' }", "powershell"
    ),
    "hook that is not PowerShell": Mistake(
        "infra/hooks/postdeploy.ps1", "$try = 1\n", "$try = (1\n", "powershell"
    ),
    "hook for Windows that calls az in another way": Mistake(
        "infra/hooks/postdeploy.ps1", "--output tsv", "--output json --debug", "powershell"
    ),
    "hook for Windows that takes another status as awake": Mistake(
        "infra/hooks/postdeploy.ps1", "'200', '503', '403'", "'200', '404', '403'", "powershell"
    ),
    "hook for Windows with one try more": Mistake(
        "infra/hooks/postdeploy.ps1", "$try -ge 3", "$try -gt 3", "powershell"
    ),
    "hook for Windows that does not look at the sign-in": Mistake(
        "infra/hooks/postdeploy.ps1",
        "--output none\nif ($LASTEXITCODE -ne 0) {",
        "--output none\nif ($false) {",
        "powershell",
    ),
    "hook for Windows that tries for ever": Mistake(
        "infra/hooks/postdeploy.ps1", "    $try++\n", "", "powershell"
    ),
    "hook for Windows that takes what is not ready as ready": Mistake(
        "infra/hooks/postdeploy.ps1", "return $false", "return $true", "powershell"
    ),
    "hook for Windows that ends well": Mistake(
        "infra/hooks/postdeploy.ps1", "    exit 1\n", "    exit 0\n", "powershell"
    ),
    "hook for Windows that a failed call ends": Mistake(
        "infra/hooks/postdeploy.ps1",
        "$PSNativeCommandUseErrorActionPreference = $false\n",
        "",
        "powershell",
    ),
    "hook for Windows with the message of another fault": Mistake(
        "infra/hooks/postdeploy.ps1",
        'Stop-Hook "After $tries tries: $reason. $remedy"',
        'Stop-Hook "The event subscription was not created in 3 tries. The errors are above."',
        "powershell",
    ),
}
