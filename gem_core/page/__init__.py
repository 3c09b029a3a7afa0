"""The report as an HTML page: `survey` reads the output again, `view` arranges the content, `draw`
fills the template. The board: `board`.

No verdict depends on this package, so it is imported only where a page is requested.
"""
