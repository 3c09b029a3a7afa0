#!/bin/sh
# Subscribes the deployed app to its tickets. May be run as often as you like.
#
# The host makes the key of its blob webhook when it first starts, so this waits for it (WAIT_TRIES
# times WAIT_SECONDS). Whether it exists is all that is asked: the key itself never leaves Azure.
set -eu

: "${AZURE_RESOURCE_GROUP:?is not set: run this through azd, or export the outputs of main.bicep}"
: "${APP_NAME:?is not set: run this through azd, or export the outputs of main.bicep}"
: "${APP_HOST_NAME:?is not set: run this through azd, or export the outputs of main.bicep}"
: "${TOPIC_NAME:?is not set: run this through azd, or export the outputs of main.bicep}"
: "${STATE_STORAGE_ID:?is not set: run this through azd, or export the outputs of main.bicep}"
tries=${WAIT_TRIES:-30}
seconds=${WAIT_SECONDS:-10}
infra=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

key_exists() {
    found=$(az functionapp keys list --resource-group "$AZURE_RESOURCE_GROUP" --name "$APP_NAME" \
        --query "contains(keys(systemKeys || \`{}\`), 'blobs_extension')" --output tsv) || return 1
    [ "$found" = true ]
}

try=1
until key_exists; do
    if [ "$try" -ge "$tries" ]; then
        echo "The app has no blobs_extension key after $tries tries: its host has not started." >&2
        echo "Look at its log stream (a missing setting, a role that is not granted yet), then run" >&2
        echo "'azd hooks run postdeploy' again. Until then the timer's sweep raises tickets that" >&2
        echo "nobody hears: nothing is lost, nothing is delivered." >&2
        exit 1
    fi
    echo "Waiting for the app to start ($try of $tries) ..."
    curl --silent --output /dev/null --max-time 30 "https://$APP_HOST_NAME/api/health" || true
    sleep "$seconds"
    try=$((try + 1))
done

if ! az deployment group create --resource-group "$AZURE_RESOURCE_GROUP" --name events \
    --template-file "$infra/events.bicep" --output none \
    --parameters "appName=$APP_NAME" "topicName=$TOPIC_NAME" "stateStorageId=$STATE_STORAGE_ID"; then
    echo "The event subscription was not made. The error is above; often the app was too cold to" >&2
    echo "answer the handshake. Run 'azd hooks run postdeploy' again." >&2
    exit 1
fi
echo "Subscribed: tickets in gem-tickets now reach $APP_NAME."
