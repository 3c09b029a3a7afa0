"""Mistakes that could be made in the infrastructure, and the check that catches each."""

from tests.infra.mistakes import agreement, delivery, policy, templates

MISTAKES = templates.MISTAKES | policy.MISTAKES | agreement.MISTAKES | delivery.MISTAKES
