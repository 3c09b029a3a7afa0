"""Changes the labels of a job that is still being watched.

A manifest repeats the labels. A stored manifest does not change, and one version of an output has
one id. So labels that change later could contradict the manifest that listeners have.
"""

from dataclasses import replace
from typing import Any

from gem_core.errors import RecordConflict, StageForbids
from gem_core.flows.manage_jobs import JobManager, registered_job
from gem_core.watch.record import Stage
from gem_core.watch.record_json import record_to_json
from gem_core.watch.registration import changed_labels


def change_labels(manager: JobManager, job_run_id: str, body: object) -> dict[str, Any]:
    """Add, replace and remove labels, as `changed_labels` describes the body.

    Returns:
        The record of the job.

    Raises:
        JobUnknown: the job is not registered.
        StageForbids: the job has settled.
        RequestError: the body or the changed labels are not valid.

    """
    while True:
        stored = registered_job(manager, job_run_id)
        labels = changed_labels(stored.record.labels, body)
        if stored.record.stage is not Stage.WATCHING:
            raise StageForbids(
                f"the job is {stored.record.stage}: its labels can change only while it is watched"
            )
        if labels == stored.record.labels:
            return record_to_json(stored.record)
        try:
            changed = manager.registry.replace(stored, replace(stored.record, labels=labels))
        except RecordConflict:
            continue  # a check has ended meanwhile: read its result
        return record_to_json(changed.record)
