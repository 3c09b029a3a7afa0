"""Well-formed files at which pyarrow ends its process, if it gets their footers."""

import base64
import io

import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from tests.audit.bombs import CODEC, STATISTICS, chunk, with_footer
from tests.audit.build import matched_table
from tests.audit.thrift import BINARY, I32, STRUCT


class _Keys(pe.KmsClient):  # type: ignore[misc] # pyarrow has no types
    """Keeps keys by not keeping them."""

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        assert master_key_identifier
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        assert master_key_identifier
        return base64.b64decode(wrapped_key)


def encrypted_column(column: str = "gers_id") -> bytes:
    """One column is encrypted, the footer is not: Parquet modular encryption."""
    factory = pe.CryptoFactory(lambda _: _Keys())
    config = pe.EncryptionConfiguration(
        footer_key="footer", column_keys={"column": [column]}, plaintext_footer=True
    )
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), config)
    file = io.BytesIO()
    table = matched_table()
    with pq.ParquetWriter(file, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return file.getvalue()


def unknown_codec() -> bytes:
    """A column is packed by a codec of a number that no version of the format has."""
    return with_footer(lambda footer: chunk(footer, "gers_id").update({CODEC: (I32, 99)}))


def empty_statistics() -> bytes:
    """The least and the largest id have no bytes, where an integer has eight."""
    empty = {5: (BINARY, b""), 6: (BINARY, b"")}
    return with_footer(lambda footer: chunk(footer, "id").update({STATISTICS: (STRUCT, empty)}))
