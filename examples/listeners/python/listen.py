"""A listener in plain Python: reads manifests from the results queue, and handles each once.

    python listen.py --queue-service https://ACCOUNT.queue.core.windows.net

signs in as you (az login), or with the managed identity of the machine. It needs the role Storage
Queue Data Message Processor on the queue, and no key. See README.md.
"""

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.identity import DefaultAzureCredential
from azure.storage.queue import QueueClient, QueueMessage
from manifest import Advice, ManifestInvalid, advice, key, read, summary

HIDDEN = 300
"""Seconds for your work on one message. After that, another listener of the queue may get it."""


class QueueUnusable(Exception):
    """The queue cannot be used. The text is one line that says what to do."""


class Handled:
    """The events that were handled, in a database.

    Do your work in the same database and the same transaction, before `add`. Then each event is
    handled exactly once, however often its message comes.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database
        self.database.execute(
            "create table if not exists handled (source, id, unique (source, id))"
        )

    def has(self, event: dict[str, Any]) -> bool:
        """Whether the event was handled."""
        found = self.database.execute("select 1 from handled where source=? and id=?", key(event))
        return found.fetchone() is not None

    def add(self, event: dict[str, Any]) -> None:
        """Remember the event; commit ends the transaction."""
        self.database.execute("insert or ignore into handled values (?, ?)", key(event))
        self.database.commit()


def receive(queue: QueueClient, handled: Handled, *, once: bool) -> Iterator[dict[str, Any]]:
    """New, valid events from the queue.

    When the caller asks for the next event, this one is remembered, and then its message is
    deleted. If the listener dies before that, it gets the message again. An invalid message stays
    in the queue and is received again; after some attempts, your listener should move it to a place
    where a person looks.

    Raises:
        QueueUnusable: the queue is missing, refuses access or does not answer.

    """
    while True:
        with unusable(queue):
            message = queue.receive_message(visibility_timeout=HIDDEN)
        if message is None:
            if once:
                return
            time.sleep(10)
            continue
        try:
            event = read(message.content)
        except ManifestInvalid as error:
            print(f"invalid message, not deleted: {str(error)!r}", file=sys.stderr)
            continue
        if not handled.has(event):
            yield event
            handled.add(event)
        with unusable(queue):
            delete(queue, message)


@contextmanager
def unusable(queue: QueueClient) -> Iterator[None]:
    """Say in one line what to do about an error of the queue. The SDK's own text is long."""
    try:
        yield
    except AzureError as error:
        status = error.status_code if isinstance(error, HttpResponseError) else None
        if status == HTTPStatus.NOT_FOUND:
            advice = "does not exist: create it, or check its name and the queue service"
        elif status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            advice = (
                "refuses access: ask for the role Storage Queue Data Message Processor on it, "
                "and check the firewall of the storage account"
            )
        elif isinstance(error, ClientAuthenticationError):
            advice = "needs an identity: run az login, or give this machine a managed identity"
        else:
            advice = "cannot be read: check the address and the network"
        seen = status or type(error).__name__
        raise QueueUnusable(f"queue {queue.queue_name!r} {advice} ({seen})") from None


def delete(queue: QueueClient, message: QueueMessage) -> None:
    """Delete a message whose event is remembered.

    The queue refuses (400 or 404) when the work took longer than `HIDDEN` and another listener got
    the message meanwhile. That one deletes it.
    """
    try:
        queue.delete_message(message)
    except HttpResponseError as error:
        if error.status_code not in {400, 404}:
            raise
        print(f"the work took too long, message not deleted: {error.reason}", file=sys.stderr)


def handle(event: dict[str, Any]) -> None:
    """Put your own work here."""
    action = advice(event)
    if action is Advice.ASK:
        print("-> a person must look:", end=" ")
    print(summary(event), flush=True)


def client(arguments: argparse.Namespace) -> QueueClient:
    """The client of the queue. With an identity; a connection string is for an emulator only."""
    if arguments.connection_string:
        return QueueClient.from_connection_string(arguments.connection_string, arguments.queue)
    return QueueClient(
        arguments.queue_service, arguments.queue, credential=DefaultAzureCredential()
    )


def main() -> None:
    """Handle each new manifest."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--queue-service", metavar="URL", help="its address; uses an identity")
    place.add_argument("--connection-string", metavar="TEXT", help="for an emulator only")
    parser.add_argument("--queue", default="gem-results")
    parser.add_argument(
        "--handled", default="handled.sqlite", metavar="FILE", help="remembers what was handled"
    )
    parser.add_argument("--once", action="store_true", help="end when the queue is empty")
    parser.add_argument("--json", action="store_true", help="print the complete events as JSON")
    arguments = parser.parse_args()
    with client(arguments) as queue, closing(sqlite3.connect(arguments.handled)) as database:
        for event in receive(queue, Handled(database), once=arguments.once):
            if arguments.json:
                print(json.dumps(event), flush=True)
            else:
                handle(event)


if __name__ == "__main__":
    try:
        main()
    except QueueUnusable as error:
        sys.exit(str(error))
