"""Whether the HTML that a child sent may be kept. Pure.

It was drawn where foreign files are read, so it is untrusted. The browser is what holds it: a page
must begin with the policy under which nothing in it runs and nothing is fetched.
"""

START = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
"""
"""As in page/templates/report.html, after white space."""


def page_or_problem(body: bytes) -> tuple[str | None, str]:
    """The page as text; else None, and why it may not be kept."""
    try:
        html = body.decode()
    except UnicodeDecodeError:
        return None, "it is not text"
    if not html.lstrip().startswith(START):
        return None, "it does not begin with its policy against scripts"
    return html, ""
