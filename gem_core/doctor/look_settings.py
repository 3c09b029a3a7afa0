"""Looks at the settings. Pure."""

from gem_core.doctor.finding import Finding, fail, ok
from gem_core.doctor.patient import Patient
from gem_core.setting_reader import UNRESOLVED


def settings(patient: Patient) -> Finding:
    """Everything that is wrong with them, at once."""
    wrong = [problem for problem in patient.problems if UNRESOLVED not in problem]
    if not wrong:
        return ok(f"read from {patient.source}")
    return fail(
        "; ".join(wrong),
        "set them as app settings (README, Settings), then run doctor again",
    )


def key_vault(patient: Patient) -> Finding:
    """References that the platform has left as they were."""
    names = sorted(problem.split()[0] for problem in patient.problems if UNRESOLVED in problem)
    if not names:
        return ok("no setting is an unresolved reference")
    return fail(
        f"unresolved: {', '.join(names)}",
        "write the secret (az keyvault secret set) and give the app's identity Key Vault Secrets "
        "User; then restart the app",
    )
