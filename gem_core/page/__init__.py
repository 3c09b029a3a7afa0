"""The report as one HTML page: `survey` looks at the output again, `view` arranges, `draw` fills.

Nothing here is needed to judge an output, so it is imported only where a page is wanted.
"""
