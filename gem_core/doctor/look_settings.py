"""Looks at the settings, and the folder that one of them names. Pure: that comes as an edge."""

from gem_core.doctor.finding import Finding, fail, ok
from gem_core.doctor.installation import Installation
from gem_core.settings.reader import UNRESOLVED


def settings(installation: Installation) -> Finding:
    """Everything that is wrong with them, at once."""
    wrong = [problem for problem in installation.problems if UNRESOLVED not in problem]
    if not wrong:
        return ok(f"read from {installation.source}")
    return fail(
        "; ".join(wrong),
        "set them as app settings (README, Settings), then run doctor again",
    )


def key_vault(installation: Installation) -> Finding:
    """References that the platform has left as they were."""
    names = sorted(problem.split()[0] for problem in installation.problems if UNRESOLVED in problem)
    if not names:
        return ok("no setting is an unresolved reference")
    return fail(
        f"unresolved: {', '.join(names)}",
        "write the secret (az keyvault secret set) and give the app's identity Key Vault Secrets "
        "User; then restart the app",
    )


def disk(installation: Installation) -> Finding:
    """Whether the audit can put ids on disk; it does so only when they do not fit into memory."""
    folder = str(installation.settings.ids_folder or "the system's temporary directory")
    try:
        free = installation.scratch()
    except OSError as error:
        return fail(
            f"{folder}: {error.strerror or type(error).__name__}",
            "make the folder and let the app's user write there, or change GEM_IDS_FOLDER",
        )
    return ok(f"{folder}: write; {free / 2**30:.1f} GiB free")
