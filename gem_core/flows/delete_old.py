"""Deletes what is left of jobs that were delivered long ago (GEM_KEEP_DAYS); a page a tick."""

from datetime import datetime

from gem_core.errors import StoreError
from gem_core.flows.checker import Checker
from gem_core.logs import Event, log
from gem_core.storage.documents import Listed


def delete_old(checker: Checker, *, ends_at: datetime) -> None:
    """Do one step of a pass, if it is time.

    A problem is only logged: a tick does not depend on it, and the next one does the step again. A
    document that cannot be deleted holds nothing up; the next pass finds it again.
    """
    retention = checker.retention
    if retention is None:
        return
    try:
        place = retention.place(checker.clock())
        if place is None:
            return
        page = retention.page(place)
        old = [item for item in page.items if retention.is_old(place, item)]

        def delete(item: Listed) -> bool | StoreError | None:
            try:
                return retention.delete(place, item) if checker.clock() < ends_at else None
            except StoreError as error:  # it may be about this document alone, such as a lease
                return error

        results = checker.each(delete, old)
        if failed := [str(each) for each in results if isinstance(each, StoreError)]:
            log(
                Event.OLD_NOT_DELETED,
                container=place.list_,
                failed=len(failed),
                reason=failed[0],
            )
        if None not in results:
            retention.go_on(place, page, checker.clock())
    except StoreError as error:
        log(Event.OLD_NOT_DELETED, reason=str(error))
        return
    if old:
        log(Event.OLD_DELETED, container=place.list_, old=len(old), deleted=results.count(True))
