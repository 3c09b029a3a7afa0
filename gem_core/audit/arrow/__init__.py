"""Arrow arrays and texts as the audit looks at them."""
