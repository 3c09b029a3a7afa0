"""Arrow arrays, texts and types, as the audit reads them."""
