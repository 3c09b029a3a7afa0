# Subscribes the deployed app to its tickets. You can run it again at any time.
# It does the same as postdeploy.sh, which has the reasons.
$ErrorActionPreference = 'Stop'

foreach ($name in 'AZURE_RESOURCE_GROUP', 'APP_NAME', 'APP_HOST_NAME', 'TOPIC_NAME', 'STATE_STORAGE_ID') {
    if (-not [Environment]::GetEnvironmentVariable($name)) {
        Write-Error "$name is not set: run this through azd, or export the outputs of main.bicep"
    }
}
$tries = if ($env:WAIT_TRIES) { [int]$env:WAIT_TRIES } else { 30 }
$seconds = if ($env:WAIT_SECONDS) { [int]$env:WAIT_SECONDS } else { 10 }
$events = Join-Path (Split-Path -Parent $PSScriptRoot) 'events.bicep'

function Test-Key {
    $found = az functionapp keys list --resource-group $env:AZURE_RESOURCE_GROUP --name $env:APP_NAME `
        --query 'contains(keys(systemKeys || `{}`), ''blobs_extension'')' --output tsv
    return ($LASTEXITCODE -eq 0) -and ("$found".Trim() -eq 'true')
}

$try = 1
while (-not (Test-Key)) {
    if ($try -ge $tries) {
        Write-Host "The app has no blobs_extension key after $tries tries: its host has not started."
        Write-Host "Read its log stream (a missing setting, a role that is not assigned yet), then run"
        Write-Host "'azd hooks run postdeploy' again. Until then no manifest is delivered, and none is lost."
        exit 1
    }
    Write-Host "Waiting for the app to start ($try of $tries) ..."
    try { Invoke-WebRequest "https://$($env:APP_HOST_NAME)/api/health" -TimeoutSec 30 | Out-Null } catch { $null = $_ }
    Start-Sleep -Seconds $seconds
    $try++
}

az deployment group create --resource-group $env:AZURE_RESOURCE_GROUP --name events `
    --template-file $events --output none `
    --parameters "appName=$($env:APP_NAME)" "topicName=$($env:TOPIC_NAME)" "stateStorageId=$($env:STATE_STORAGE_ID)"
if ($LASTEXITCODE -ne 0) {
    Write-Host "The event subscription was not created. The error is above; often the app starts too slowly"
    Write-Host "to answer the handshake. Run 'azd hooks run postdeploy' again."
    exit 1
}
Write-Host "Subscribed: tickets in gem-tickets now reach $($env:APP_NAME)."
