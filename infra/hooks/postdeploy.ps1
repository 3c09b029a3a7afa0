# Subscribes the deployed app to its tickets. You can run it again at any time.
# It does and says the same as postdeploy.sh, which has the reasons.
$ErrorActionPreference = 'Stop'
# A call of az that fails is looked at below; it must not end the script.
$PSNativeCommandUseErrorActionPreference = $false

$again = "Then run 'azd hooks run postdeploy'. Until then no manifest is delivered, and none is lost."

function Stop-Hook([string]$message) {
    [Console]::Error.WriteLine("$message $again")
    exit 1
}

foreach ($name in 'AZURE_SUBSCRIPTION_ID', 'AZURE_RESOURCE_GROUP', 'APP_NAME', 'APP_HOST_NAME', 'TOPIC_NAME', 'STATE_STORAGE_ID') {
    if (-not [Environment]::GetEnvironmentVariable($name)) {
        Stop-Hook "$name is not set: use azd, or export the subscription's id and the outputs of main.bicep."
    }
}
$tries = if ($env:WAIT_TRIES) { $env:WAIT_TRIES } else { '30' }
$seconds = if ($env:WAIT_SECONDS) { $env:WAIT_SECONDS } else { '10' }
$retry = if ($env:RETRY_SECONDS) { $env:RETRY_SECONDS } else { '20' }
foreach ($number in $tries, $seconds, $retry) {
    if ($number -notmatch '^[0-9]+$') {
        Stop-Hook "WAIT_TRIES, WAIT_SECONDS and RETRY_SECONDS must be whole numbers: $number is not."
    }
}
$events = Join-Path (Split-Path -Parent $PSScriptRoot) 'events.bicep'

if (-not (Get-Command az -ErrorAction SilentlyContinue)) {
    Stop-Hook "az is not installed: see Microsoft's page on the Azure CLI."
}
az account show --subscription $env:AZURE_SUBSCRIPTION_ID --output none
if ($LASTEXITCODE -ne 0) {
    Stop-Hook "az is not signed in to the subscription $($env:AZURE_SUBSCRIPTION_ID): run 'az login'."
}
az functionapp show --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP `
    --name $env:APP_NAME --output none
if ($LASTEXITCODE -ne 0) {
    Stop-Hook "az cannot read the app $($env:APP_NAME) in the group $($env:AZURE_RESOURCE_GROUP) (its error is above): sign in as somebody who may, or run 'azd provision'."
}

# Whether the app answers and has its key. If not, $reason and $remedy say more.
function Test-Ready {
    $answer = if (Get-Command curl -CommandType Application -ErrorAction SilentlyContinue) {
        (curl --silent --max-time 30 --write-out ' %{http_code}' "https://$($env:APP_HOST_NAME)/api/health") -join ' '
    } else { 'no-curl' }
    $script:code = $answer.Split(' ')[-1]
    if ($code -eq '404') {
        $script:reason = "no function of the app is indexed (404)"
        $script:remedy = "Run 'azd deploy' again; if that does not help, read the log stream."
        return $false
    }
    if ($answer.Contains('"not loaded"')) {
        $script:reason = "the app cannot be loaded"
        $script:remedy = "Its log has the error (the event app_not_loaded). Correct it and run 'azd deploy' again."
        return $false
    }
    $script:remedy = "Read its log stream: a setting may be missing, or a role is not assigned yet."
    if ($code -notin '200', '503', '403') {
        $script:reason = "the app does not answer ($code)"
        return $false
    }
    $found = az functionapp keys list --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP `
        --name $env:APP_NAME --query "length(not_null(systemKeys.blobs_extension, ''))" --output tsv
    if ($LASTEXITCODE -ne 0) {
        $script:reason = "az failed to list the app's keys (its error is above)"
        return $false
    }
    if ("$found".Trim() -notmatch '^[1-9][0-9]*$') {
        $script:reason = "the app has no blobs_extension key, so its host has not started"
        return $false
    }
    return $true
}

$try = 1
while (-not (Test-Ready)) {
    if ($try -ge [int]$tries) { Stop-Hook "After $tries tries: $reason. $remedy" }
    Write-Host "Waiting for the app ($try of $tries): $reason ..."
    Start-Sleep -Seconds ([int]$seconds)
    $try++
}
if ($code -eq '403') {
    Write-Host "The app is awake, but it refuses your address (ALLOWED_ADDRESSES), so whether its functions are indexed was not looked at."
}

$try = 1
while ($true) {
    az deployment group create --subscription $env:AZURE_SUBSCRIPTION_ID --resource-group $env:AZURE_RESOURCE_GROUP `
        --name events --template-file $events --output none `
        --parameters "appName=$($env:APP_NAME)" "topicName=$($env:TOPIC_NAME)" "stateStorageId=$($env:STATE_STORAGE_ID)"
    if ($LASTEXITCODE -eq 0) { break }
    if ($try -ge 3) { Stop-Hook "The event subscription was not created in 3 tries. The errors are above." }
    Write-Host "The event subscription was not created ($try of 3). Often the app starts too slowly for the handshake."
    Start-Sleep -Seconds ([int]$retry)
    $try++
}
Write-Host "Subscribed: tickets in gem-tickets now reach $($env:APP_NAME)."
