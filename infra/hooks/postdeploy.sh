#!/bin/sh
# Subscribes the deployed app to its tickets. You can run it again at any time.
#
# The host creates the key of its blob webhook when it first starts, so this script waits for the key
# (WAIT_TRIES times WAIT_SECONDS). It only checks that the key exists: the key never leaves Azure.
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
        echo "Read its log stream (a missing setting, a role that is not assigned yet), then run" >&2
        echo "'azd hooks run postdeploy' again. Until then no manifest is delivered, and none is lost." >&2
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
    echo "The event subscription was not created. The error is above; often the app starts too slowly" >&2
    echo "to answer the handshake. Run 'azd hooks run postdeploy' again." >&2
    exit 1
fi
echo "Subscribed: tickets in gem-tickets now reach $APP_NAME."
