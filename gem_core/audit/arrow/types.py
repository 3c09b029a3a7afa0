"""The meaning of a column's type, whatever its encoding. Pure."""

import pyarrow as pa


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text, whatever their encoding."""
    if isinstance(kind, pa.BaseExtensionType):
        return False  # only the extension knows what its values mean
    return bool(pa.types.is_string(plain_type(kind)))


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without its encoding.

    Dictionary, large and view variants and extensions hold the same values, and which of them a
    reader sees depends on who wrote the file (pandas, Spark, DuckDB), not on the column.
    """
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return _plain_nested(kind) if pa.types.is_nested(kind) else kind


def _plain_nested(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([(part.name, plain_type(part.type)) for part in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(plain_type(kind.value_type), kind.list_size)
    return pa.list_(plain_type(kind.value_type))
