"""Files of Parquet's modular encryption, by pyarrow."""

import base64
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from gem_core.audit.reading.source import FileSource, open_file


class Wrapping(pe.KmsClient):  # type: ignore[misc]  # pyarrow has no types
    """Keys that anybody can read: what matters is that the reader has none."""

    def wrap_key(self, key_bytes: bytes, _: str) -> bytes:
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, _: str) -> bytes:
        return base64.b64decode(wrapped_key)


def encrypted(
    folder: Path, table: pa.Table, column: str, name: str, *, open_footer: bool = True
) -> FileSource:
    """The table with one encrypted column, and a footer that anybody can read unless told."""
    keys = pe.CryptoFactory(lambda _: Wrapping())
    settings = pe.EncryptionConfiguration(
        footer_key="f", column_keys={"c": [column]}, plaintext_footer=open_footer
    )
    properties = keys.file_encryption_properties(pe.KmsConnectionConfig(), settings)
    with pq.ParquetWriter(folder / name, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return open_file(folder / name)
