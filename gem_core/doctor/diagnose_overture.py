"""Whether Overture's changelog can be read, and what it looks like. Pure: storage is passed in."""

from gem_core.doctor.finding import Finding, fail, ok, skipped
from gem_core.doctor.installation import Installation
from gem_core.errors import OutputError

_REMEDY = (
    "check GEM_OVERTURE, and that the network lets this app reach that storage; manifests are "
    "delivered without it, and say that ids were not looked up"
)


def overture(installation: Installation) -> Finding:
    """Lists the newest release, and reads a footer of each part."""
    if installation.settings.overture is None:
        return skipped("GEM_OVERTURE is not set: GERS ids are not looked up")
    try:
        return ok("; ".join(installation.overture()))
    except OutputError as error:
        return fail(str(error), _REMEDY)
