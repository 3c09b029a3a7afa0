"""Fills the template: a report becomes one self-contained HTML page. Pure (Jinja2).

Whatever comes from files and from GEM is escaped by the template engine, and shown without its
control characters.
"""

from datetime import datetime
from functools import cache
from unicodedata import category

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gem_core.audit.judging.report import Report
from gem_core.audit.reading.source import Source
from gem_core.page.plots import PLOT_HEIGHT
from gem_core.page.survey import Survey
from gem_core.page.view import arrange

_HIDDEN = {"Cc", "Cs"}
"""Control characters, surrogates."""


def draw(report: Report, survey: Survey, *, output: Source | None, at: datetime) -> str:
    """The report as an HTML page that needs nothing else. See `view.arrange` for the arguments."""
    view = arrange(report, survey, output=output, at=at)
    return _template().render(view=view, plot_height=PLOT_HEIGHT)


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gem_core.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _visible(value: object) -> object:
    """Text with a sign in place of control characters and of halves of a surrogate pair."""
    if type(value) is not str or value.isprintable():  # Markup is the template's own
        return value
    return "".join(
        letter if letter == "\n" or category(letter) not in _HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for letter in value
    )
