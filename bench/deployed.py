"""The environment variables of the deployed app that affect speed and memory."""

AS_DEPLOYED = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    "ARROW_DEFAULT_MEMORY_POOL": "jemalloc",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "4194304",
    "MALLOC_TRIM_THRESHOLD_": "33554432",
}
"""The same values as in infra/modules/app.bicep, which explains them. A test compares the two."""
