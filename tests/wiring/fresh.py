"""What a process builds once is built anew."""

import sys

WIRING = ("gem_core.wiring.", "gem_core.storage.clients")


def forget_edges() -> None:
    """As in a new process."""
    for module in [module for name, module in sys.modules.items() if name.startswith(WIRING)]:
        for part in vars(module).values():
            if hasattr(part, "cache_clear"):
                part.cache_clear()


NEEDED = {
    "GEM_API_KEY": "key",
    "GEM_STATE": "UseDevelopmentStorage=true",
    "GEM_OUTPUT": "UseDevelopmentStorage=true",
    "GEM_CHECK_SCHEDULE": "0 * * * * *",
}
