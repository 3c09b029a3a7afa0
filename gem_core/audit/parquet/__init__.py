"""From the bytes of a Parquet file to batches of bounded size."""
