"""One pass over the rows: row rules, the form of GERS ids, confidences, offenders."""
