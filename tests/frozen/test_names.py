"""No name that is stored or sent is removed or changed, and none is added without being held."""

from tests.frozen.names import collected, frozen, gone

_GONE = """\
These names are in tests/frozen/names.json, and the code does not have them any more. Whoever uses
one would break: an app that was rolled back, a listener, a pipeline, an alert. Keep the name, and
add a new one beside it if you must (CONTRIBUTING.md, Names). Names that are gone:
"""
_NEW = """\
These names are new. They will never change again, so read them once more: is each the usual word,
and no second one for the same thing? Then run `python -m tests.frozen`. New names:
"""


def test_no_name_is_gone() -> None:
    missing = gone(frozen(), collected())
    assert not missing, _GONE + "\n".join(missing)


def test_every_name_is_held() -> None:
    added = gone(collected(), frozen())
    assert not added, _NEW + "\n".join(added)


def test_a_changed_name_would_be_seen() -> None:
    held = {"settings": ["GEM_A", "GEM_B"]}
    changed = {"settings": ["GEM_A", "GEM_C"]}
    assert gone(held, changed) == ["settings: GEM_B"]
    assert gone(changed, held) == ["settings: GEM_C"]
    assert gone(held, {}) == ["settings: GEM_A", "settings: GEM_B"]


def test_the_list_holds_every_kind() -> None:
    assert {kind for kind, names in frozen().items() if not names} == set()
    assert frozen().keys() == collected().keys()
