"""Builds the parts that a tick and a batch need. Edge."""

import time
from random import SystemRandom

from gem_core.flows.checker import Checker, in_threads
from gem_core.once import Once
from gem_core.storage.names import WORKLIST
from gem_core.watch.batch import plan_batches
from gem_core.watch.discovery import Discovery
from gem_core.watch.durations import DurationStore
from gem_core.watch.rate_limiter import RateLimiter, SleepClock
from gem_core.watch.retention import Retention
from gem_core.wiring.environment import settings
from gem_core.wiring.gem import gem, own_heartbeat
from gem_core.wiring.managers import policy
from gem_core.wiring.stores import stores


@Once
def checker() -> Checker:
    """The parts that a tick and a batch need. Raises SettingsError."""
    chosen, state = settings(), stores()
    rate = chosen.check_requests_per_second
    batches = plan_batches(chosen.check_batch_size, rate) if chosen.check_batch_size else None
    random = SystemRandom().random
    return Checker(
        registry=state.registry,
        heartbeat=own_heartbeat(),
        gem=gem(),
        policy=policy(chosen),
        limiter=RateLimiter(
            state.documents(WORKLIST),
            count=batches.concurrency if batches else 1,
            per_second=rate,
            clock=SleepClock(state.now, time.sleep),
            random=random,
        ),
        clock=state.now,
        jitter=random,
        poison=state.poison_queues(),
        each=in_threads(chosen.check_concurrency),
        places=chosen.check_concurrency,
        durations=DurationStore(state.documents(WORKLIST)),
        batches=state.batch_queue() if batches else None,
        plan=batches,
        discovery=Discovery(
            state.documents(WORKLIST),
            chosen.discover,
            max_age=chosen.discover_max_age,
            every=chosen.discover_every,
        )
        if chosen.discover
        else None,
        retention=Retention(
            Once(state.documents), keep=chosen.keep, look_back=chosen.discover_max_age
        )
        if chosen.keep
        else None,
    )
