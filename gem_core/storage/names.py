"""The names of our containers and queues in the state account. Pure."""

JOBS = "gem-jobs"


WORKLIST = "gem-open"


TICKETS = "gem-settled"


REPORTS = "gem-reports"


MANIFESTS = "gem-manifests"


CONTAINERS = (JOBS, WORKLIST, TICKETS, REPORTS, MANIFESTS)
"""The containers in GEM_STATE; the infrastructure makes them, and so does the dev kit."""


CHECKS = "gem-checks"
"""The queue of batches in GEM_STATE; made as the containers are."""


POISON_QUEUES = ("webjobs-blobtrigger-poison", f"{CHECKS}-poison")
"""In GEM_STATE too; the Functions host makes one when it first needs it."""
