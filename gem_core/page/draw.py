"""Fills the template: makes one self-contained HTML page from a report. Pure (Jinja2).

The template engine escapes all texts from files and from GEM. Control characters are replaced.
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
"""Unicode categories: control characters and surrogates."""


def draw(report: Report, survey: Survey, *, output: Source | None, at: datetime) -> str:
    """The report as a self-contained HTML page. See `view.arrange` for the arguments."""
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
    """The text with U+FFFD in place of control characters and surrogates. Keeps line ends."""
    if type(value) is not str or value.isprintable():  # Markup is a subclass, made by the template
        return value
    return "".join(
        letter if letter == "\n" or category(letter) not in _HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for letter in value
    )
