#!/bin/sh
# Subscribes the deployed app to its tickets. You can run it again at any time.
#
# The host makes the key of its blob webhook when it first starts. So this script waits until the app
# answers and has the key (WAIT_TRIES times, WAIT_SECONDS apart). It only asks for the key's length:
# the key never leaves Azure. A start that is too slow for the handshake of the event subscription is
# routine, so that is tried three times, RETRY_SECONDS apart.
set -eu

again="Then run 'azd hooks run postdeploy'. Until then no manifest is delivered, and none is lost."

stop() {
    echo "$1 $again" >&2
    exit 1
}

for name in AZURE_SUBSCRIPTION_ID AZURE_RESOURCE_GROUP APP_NAME APP_HOST_NAME TOPIC_NAME STATE_STORAGE_ID; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || stop "$name is not set: use azd, or export the subscription's id and the outputs of main.bicep."
done
tries=${WAIT_TRIES:-30}
seconds=${WAIT_SECONDS:-10}
retry=${RETRY_SECONDS:-20}
for number in "$tries" "$seconds" "$retry"; do
    case "$number" in
        '' | *[!0-9]*) stop "WAIT_TRIES, WAIT_SECONDS and RETRY_SECONDS must be whole numbers: $number is not." ;;
    esac
done
infra=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

command -v az >/dev/null || stop "az is not installed: see Microsoft's page on the Azure CLI."
az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none ||
    stop "az is not signed in to the subscription $AZURE_SUBSCRIPTION_ID: run 'az login'."
az functionapp show --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
    --name "$APP_NAME" --output none ||
    stop "az cannot read the app $APP_NAME in the group $AZURE_RESOURCE_GROUP (its error is above): sign in as somebody who may, or run 'azd provision'."

# Whether the app answers and has its key. If not, `reason` and `remedy` say more.
is_ready() {
    answer=$(curl --silent --max-time 30 --write-out ' %{http_code}' "https://$APP_HOST_NAME/api/health") || true
    code=${answer##* }
    if [ "$code" = 404 ]; then
        reason="no function of the app is indexed (404)"
        remedy="Run 'azd deploy' again; if that does not help, read the log stream."
        return 1
    fi
    case "$answer" in
        *'"not loaded"'*)
            reason="the app cannot be loaded"
            remedy="Its log has the error (the event app_not_loaded). Correct it and run 'azd deploy' again."
            return 1
            ;;
    esac
    remedy="Read its log stream: a setting may be missing, or a role is not assigned yet."
    case "$code" in
        200 | 503 | 403) ;;
        *)
            reason="the app does not answer (${code:-no-curl})"
            return 1
            ;;
    esac
    found=$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
        --name "$APP_NAME" --query "length(not_null(systemKeys.blobs_extension, ''))" --output tsv) || {
        reason="az failed to list the app's keys (its error is above)"
        return 1
    }
    # az for Windows ends lines with a carriage return, also under WSL.
    found=$(printf '%s' "$found" | tr -d '\r')
    case "$found" in
        '' | 0 | *[!0-9]*)
            reason="the app has no blobs_extension key, so its host has not started"
            return 1
            ;;
    esac
}

try=1
until is_ready; do
    [ "$try" -lt "$tries" ] || stop "After $tries tries: $reason. $remedy"
    echo "Waiting for the app ($try of $tries): $reason ..."
    sleep "$seconds"
    try=$((try + 1))
done
if [ "$code" = 403 ]; then
    echo "The app is awake, but it refuses your address (ALLOWED_ADDRESSES), so whether its functions are indexed was not looked at."
fi

try=1
until az deployment group create --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" \
    --name events --template-file "$infra/events.bicep" --output none \
    --parameters "appName=$APP_NAME" "topicName=$TOPIC_NAME" "stateStorageId=$STATE_STORAGE_ID"; do
    [ "$try" -lt 3 ] || stop "The event subscription was not created in 3 tries. The errors are above."
    echo "The event subscription was not created ($try of 3). Often the app starts too slowly for the handshake."
    sleep "$retry"
    try=$((try + 1))
done
echo "Subscribed: tickets in gem-tickets now reach $APP_NAME."
