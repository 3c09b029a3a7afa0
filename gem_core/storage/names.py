"""Names of the app's containers and queues in GEM_STATE. Pure.

These names and the names of blobs must not change. tests/frozen/names.json lists them.
"""

JOBS = "gem-jobs"
WORKLIST = "gem-worklist"
TICKETS = "gem-tickets"
REPORTS = "gem-reports"
FAILURES = "gem-failures"
"""Failing rows of audits. Listeners have no right here."""
OUTBOX = "gem-outbox"

CONTAINERS = (JOBS, WORKLIST, TICKETS, REPORTS, FAILURES, OUTBOX)
"""All containers. The infrastructure or the dev kit creates them."""

BATCHES = "gem-batches"
"""The queue of batches. The infrastructure or the dev kit creates it."""

POISON_QUEUES = ("webjobs-blobtrigger-poison", f"{BATCHES}-poison")
"""The queues of messages that failed too often. The Functions host creates one at its first use."""
