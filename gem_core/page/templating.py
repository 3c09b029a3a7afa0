"""The template engine of all pages. Pure (Jinja2).

It escapes all texts from files, from GEM and from people. Control characters are replaced.
"""

from functools import cache
from unicodedata import category

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

_HIDDEN = {"Cc", "Cs"}
"""Unicode categories: control characters and surrogates."""


@cache
def template(name: str) -> Template:
    """The template in this file of the folder `templates`."""
    environment = Environment(
        loader=PackageLoader("gem_core.page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _visible(value: object) -> object:
    """The text with U+FFFD in place of control characters and surrogates. Keeps line ends."""
    if type(value) is not str or value.isprintable():  # Markup is a subclass, made by the template
        return value
    return "".join(
        letter if letter == "\n" or category(letter) not in _HIDDEN else "\N{REPLACEMENT CHARACTER}"
        for letter in value
    )
