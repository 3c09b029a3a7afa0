"""Add what is new: names to names.json, or golden files with `--write`. Nothing is ever changed."""

import argparse
import json
import logging
import sys

from tests.frozen import golden, stored
from tests.frozen.names import FILE, collected, frozen, gone


def main() -> int:
    """Add, and list what is missing; 1 when something is."""
    parser = argparse.ArgumentParser(prog="python -m tests.frozen", description=__doc__)
    parser.add_argument("--write", action="store_true", help="add golden files of new forms")
    logging.basicConfig(handlers=[logging.NullHandler()])
    if parser.parse_args().write:
        for path in golden.add(stored.documents()):
            sys.stdout.write(f"added {path.name}\n")
        return 0
    held, now = frozen(), collected()
    both = {kind: sorted({*held.get(kind, ()), *now.get(kind, ())}) for kind in held | now}
    FILE.write_text(json.dumps(both, indent=1) + "\n", encoding="utf-8")
    missing = gone(held, now)
    sys.stderr.writelines(f"gone: {name}\n" for name in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
