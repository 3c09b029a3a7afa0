"""An edge of which each call is watched, found by interception: a new call needs no line here."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.fakes import FakeSource

if TYPE_CHECKING:
    from tests.world.edges import Edges


class Watched:
    """Stands before an edge, and before each source that it opens."""

    def __init__(self, edge: object, name: str, edges: "Edges") -> None:
        self._edge = edge
        self._name = name
        self._edges = edges

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - whatever the edge has
        value = getattr(self._edge, method)
        if not callable(value) or method == "url":
            return value
        name = f"{self._name}.{method}"

        def watched(*args: object, **options: object) -> Any:  # noqa: ANN401 - as above
            if name == "gem.get_job":
                with self._edges.ledger.question(str(args[0])):
                    return self._edges.call(name, value, args, options)
            result = self._edges.call(name, value, args, options)
            if isinstance(result, FakeSource):
                return Watched(result, f"{self._name}.source", self._edges)
            if isinstance(result, Iterator):
                return iter(tuple(result))
            return result

        if not isinstance(self._edge, FakeSource):
            self.__dict__[method] = watched
        return watched
