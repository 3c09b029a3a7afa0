"""Pure: facts become verdicts, and verdicts a report."""
