"""Diagnostics of the settings and of the machine. Pure: what the machine has is passed in."""

from gem_core.audit.child.machine import APP_BYTES, least_bytes
from gem_core.doctor.finding import Finding, fail, ok
from gem_core.doctor.installation import Installation
from gem_core.settings.reader import UNRESOLVED


def settings(installation: Installation) -> Finding:
    """All missing and invalid settings together."""
    problems = [problem for problem in installation.problems if UNRESOLVED not in problem]
    if not problems:
        return ok(f"read from {installation.source}")
    return fail(
        "; ".join(problems),
        "correct these app settings (docs/settings.md), then run doctor again",
    )


def key_vault(installation: Installation) -> Finding:
    """Key Vault references that the platform did not replace by their secrets."""
    names = sorted(problem.split()[0] for problem in installation.problems if UNRESOLVED in problem)
    if not names:
        return ok("no setting is an unresolved reference")
    return fail(
        f"unresolved: {', '.join(names)}",
        "write the secret (az keyvault secret set) and give the app's identity Key Vault Secrets "
        "User; then restart the app",
    )


def disk(installation: Installation) -> Finding:
    """Whether the audit can write ids to disk, which it does when they do not fit into memory."""
    folder = installation.settings.ids_folder
    # Not the setting's value: it may be a secret that somebody put into the wrong setting.
    shown = "the folder of GEM_IDS_FOLDER" if folder else "the system's temporary directory"
    try:
        free = installation.scratch()
    except OSError as error:
        return fail(
            f"{shown}: {error.strerror or type(error).__name__}",
            "create the folder and let the user of the app write there, or change GEM_IDS_FOLDER",
        )
    return ok(f"{shown}: writable, {free / 2**30:.1f} GiB free")


def memory(installation: Installation) -> Finding:
    """Whether host, worker and an audit fit into the memory together.

    If they do not, the system ends the audit when memory is short.
    """
    total = installation.memory()
    left, needed = total - APP_BYTES, least_bytes(installation.settings.ids_memory_bytes)
    detail = (
        f"{total >> 20} MiB; the Functions host and the app take {APP_BYTES >> 20} MiB under load"
    )
    if left < needed:
        return fail(
            f"{detail}, which leaves {max(left, 0) >> 20} MiB; an audit needs {needed >> 20}",
            "choose a larger instance size (docs/scale.md, Memory of an instance), or lower "
            "GEM_IDS_MEMORY_MIB if it is above 64",
        )
    return ok(f"{detail}, which leaves {left >> 20} MiB for an audit")
