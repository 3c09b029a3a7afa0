"""A run that fails, made small: everything is left out that it fails without."""

from collections.abc import Callable

from tests.world.plan import Plan


def shrunk(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """The plan with as few faults and acts as still fail, one taken away at a time."""
    while smaller := next((each for each in plan.without_one() if fails(each)), None):
        plan = smaller
    return plan
