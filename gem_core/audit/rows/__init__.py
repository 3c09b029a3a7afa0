"""One pass over the rows: rules, formats of GERS ids, confidences, offenders."""
