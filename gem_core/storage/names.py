"""The names of the app's containers and queues in the state account. Pure.

They are frozen, as is every name below a container: tests/frozen/names.json holds all of them.
"""

JOBS = "gem-jobs"
WORKLIST = "gem-worklist"
TICKETS = "gem-tickets"
REPORTS = "gem-reports"
OUTBOX = "gem-outbox"

CONTAINERS = (JOBS, WORKLIST, TICKETS, REPORTS, OUTBOX)
"""The containers in GEM_STATE; the infrastructure makes them, and so does the dev kit."""

BATCHES = "gem-batches"
"""The queue of batches in GEM_STATE; made as the containers are."""

POISON_QUEUES = ("webjobs-blobtrigger-poison", f"{BATCHES}-poison")
"""In GEM_STATE too; the Functions host makes one when it first needs it."""
