"""Every file that ends a reader, or asks for more memory or time than there is.

`python -m tests.audit.bomb_list FOLDER N` writes all of them, and N spoilt files: making some takes
more memory than an audit has, so the process that makes them is not the one that is measured.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from tests.audit import bombs, page_bombs
from tests.audit.build import input_table, matched_table
from tests.audit.child import deadly
from tests.audit.fuzz import spoilt
from tests.parquet_files import parquet_bytes

INVALID, NOT_AUDITED, VALID = "invalid", "not_audited", "valid"
SPOILT = "spoilt"
"""The name of each spoilt file."""
LIST = "bombs.json"
SEED = 20_261_128


@dataclass(frozen=True, slots=True)
class Bomb:
    """A file, and what an audit makes of it."""

    make: Callable[[], bytes]
    outcome: str
    """With 400 MiB; with more memory it may be another one. VALID is with or without warnings."""
    as_input: bool = False
    """Whether it is the input of a good output."""
    with_values: bool = False
    """Whether all columns are compared, as with GEM_INPUT_COMPARE=columns."""
    input_: Callable[[], bytes] | None = None
    """Another input than the usual one."""
    costs_its_page: bool = False
    costs_its_input: bool = False
    """Whether the audit is made without the input."""


_DEADLY: Mapping[str, tuple[Callable[[], bytes], str]] = {
    "an encrypted column": (deadly.encrypted_column, NOT_AUDITED),
    "another encrypted column": (partial(deadly.encrypted_column, "geometry"), VALID),
    "statistics without bytes": (deadly.empty_statistics, VALID),
    "a histogram that is too short": (bombs.deadly_statistics, VALID),
}

BOMBS: Mapping[str, Bomb] = {
    # Readers of page headers differ.
    "a field id that wraps": Bomb(page_bombs.wrapped_field_id, INVALID),
    "a header that ends with 0x10": Bomb(page_bombs.zero_nibble, INVALID),
    "a dictionary in two parts": Bomb(page_bombs.dictionary_in_two_parts, INVALID),
    "two dictionaries": Bomb(page_bombs.two_dictionaries, INVALID),
    "100 bytes beyond the column (parquet-mr 1.2.8)": Bomb(
        page_bombs.padded_by_an_old_writer, INVALID
    ),
    # Pages.
    "2^29 lengths claimed": Bomb(page_bombs.counted_lengths, NOT_AUDITED),
    "2^25 lengths of nothing": Bomb(page_bombs.many_lengths, INVALID),
    "a page of 1 GiB": Bomb(bombs.huge_page, NOT_AUDITED),
    "a page that claims 2^31 bytes": Bomb(bombs.claimed_page, NOT_AUDITED),
    "a page of 127 MiB": Bomb(partial(bombs.huge_page, 127 * bombs.MIB), VALID),
    "200,000 rows of a GERS id of 1 MiB": Bomb(bombs.long_dictionary, NOT_AUDITED),
    "500 rows of a GERS id of 1 MiB": Bomb(partial(bombs.long_dictionary, rows=500), INVALID),
    "500 rows of an id of 1 MiB": Bomb(
        partial(bombs.long_dictionary, rows=500, column="id"), INVALID
    ),
    "32 million empty texts": Bomb(bombs.long_dictionary_of_nothing, NOT_AUDITED),
    "200,000 prefixes of 1 MiB": Bomb(bombs.repeated_prefix, NOT_AUDITED),
    "500 prefixes of 1 MiB": Bomb(partial(bombs.repeated_prefix, rows=500), INVALID),
    "2 million rows of one run": Bomb(bombs.runs, INVALID),
    "a codec of number 99": Bomb(deadly.unknown_codec, NOT_AUDITED),
    "an encoding of a later format": Bomb(bombs.newer_encoding, NOT_AUDITED),
    **{
        f"an index beyond the dictionary of {name}": Bomb(
            partial(bombs.index_beyond_dictionary, name), INVALID
        )
        for name in ("id", "gers_id", "match_status")
    },
    # Footers.
    "3-byte column chunks, 15 MB": Bomb(page_bombs.small_chunks, INVALID),
    **{
        f"2^{power} rows claimed": Bomb(partial(bombs.claimed_rows, 2**power), INVALID)
        for power in (30, 31, 40, 62)
    },
    "one row group 3,000 times": Bomb(bombs.same_group_again, INVALID),
    "30,000 row groups of nothing": Bomb(bombs.empty_groups, INVALID),
    "100,000 columns": Bomb(bombs.many_columns, VALID, costs_its_page=True),
    "50 MB of key-value metadata": Bomb(
        partial(bombs.key_values, {b"key": b"v" * 50_000_000}), VALID
    ),
    "90 groups deep": Bomb(partial(bombs.deep_schema, 90), INVALID),
    "10,000 groups deep": Bomb(partial(bombs.deep_schema, 10_000), INVALID),
    "a path that is no text": Bomb(bombs.path_that_is_no_text, VALID),
    "a column beyond the end": Bomb(bombs.footer_beyond_file, INVALID),
    "a column longer than the file": Bomb(bombs.chunk_beyond_file, INVALID),
    # Comparing all columns, the page, the input.
    "a list of 2^30 nulls": Bomb(
        page_bombs.list_of_nulls,
        VALID,
        with_values=True,
        input_=page_bombs.list_input,
        costs_its_input=True,
    ),
    "20,000 rows of a text of 20 kB, compared": Bomb(
        page_bombs.long_values, VALID, with_values=True, input_=page_bombs.long_values
    ),
    "30 classes of 100 MiB": Bomb(page_bombs.long_classes, INVALID, costs_its_page=True),
    "a geometry of 120 MiB": Bomb(page_bombs.long_geometry, VALID, costs_its_page=True),
    "a number of 120 MiB in a geometry": Bomb(page_bombs.long_number, VALID, costs_its_page=True),
    "200,000 rows of an id of 1 MiB, as input": Bomb(
        partial(bombs.long_dictionary, column="id"), VALID, as_input=True, costs_its_input=True
    ),
    # Files at which pyarrow ends its process, if it gets their footers.
    **{name: Bomb(make, outcome) for name, (make, outcome) in _DEADLY.items()},
    **{
        f"{name}, as input": Bomb(make, VALID, as_input=True) for name, (make, _) in _DEADLY.items()
    },
}


def main(folder: Path, spoilt_files: int) -> None:
    """Write every file, so many spoilt ones, and a list of what is audited against what."""
    good, given = folder / "good_matched.parquet", folder / "good.parquet"
    good.write_bytes(parquet_bytes(matched_table()))
    given.write_bytes(parquet_bytes(input_table()))
    listed: list[tuple[str, Path, Path, bool]] = []
    for number, (name, bomb) in enumerate(BOMBS.items()):
        path = folder / f"{number}_matched.parquet"
        path.write_bytes(bomb.make())
        other = given
        if bomb.input_:
            other = folder / f"{number}.parquet"
            other.write_bytes(bomb.input_())
        pair = (good, path) if bomb.as_input else (path, other)
        listed.append((name, *pair, bomb.with_values))
    for number, data in enumerate(islice(spoilt(SEED), spoilt_files)):
        path = folder / f"spoilt_{number}_matched.parquet"
        path.write_bytes(data)
        pair = (good, path) if number % 4 == 0 else (path, given)
        listed.append((SPOILT, *pair, number % 3 == 0))
    (folder / LIST).write_text(json.dumps(listed, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
