"""The environment in which the deployed app audits: that of its audit process."""

from gem_core.audit.child.environment import ALLOCATORS

AS_DEPLOYED = dict(ALLOCATORS)
