"""Envelopes of calls that carry short texts alone: cut once, and filled with what is handed over.

Which parameters a call has decides its form; what stands around them is cut from the rendering of a
call of that form, as templates are. The types on the way change no text, or there is nothing to cut:
such a call, and one with anything but texts, is for the templates.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final

from app.providers.efidem.binding.bound import Bound
from app.providers.efidem.binding.leaves import Leaf
from app.providers.efidem.binding.template import MOST_FORMS, NO_MARK, Template, cut, mark_of
from app.providers.pieces import Body

LARGEST: Final = 65_536  # characters of all texts of a call

Credentials = Mapping[str, str]
Render = Callable[[Bound, Mapping[str, Any]], bytes]


class Texts:
    """Knows the envelopes of calls that carry texts alone."""

    def __init__(self, render: Render) -> None:
        """Keep how calls are rendered whose form is new."""
        self._render = render
        self._known: dict[Hashable, Template | None] = {}

    def envelope(self, bound: Bound, handed: object, credentials: Credentials) -> Body | None:
        """Return the envelope of a call as it would be rendered; None of one that is not for here.

        Raises ValueError for what XML cannot carry.
        """
        texts: list[str] = []
        form: list[object] = [bound.function.name, bound.operation, *credentials.values()]
        length = 0
        for place in bound.places:
            value = place.parameter.value(handed)
            if value is None or value == "":
                form.append(value)
            elif type(value) is str:
                texts.append(value)
                length += len(value)
                form.append(True)
            else:
                return None
        if length > LARGEST:
            return None
        key = tuple(form)
        if key not in self._known:
            if len(self._known) >= MOST_FORMS:
                self._known.clear()
            self._known[key] = self._cut(bound, handed, credentials)
        known = self._known[key]
        return None if known is None else known.filled_shortly(texts)

    def _cut(self, bound: Bound, handed: object, credentials: Credentials) -> Template | None:
        given = {one.parameter.name: one.parameter.value(handed) for one in bound.places}
        texts = {name: value for name, value in given.items() if value and isinstance(value, str)}
        marks = {name: mark_of(place) for place, name in enumerate(texts)}
        forms = [one.form for one in bound.places if one.parameter.name in texts]
        if not all(isinstance(one, Leaf) and one.changes_no_text for one in forms):
            return None
        try:
            rendered = self._render(bound, bound.filled(given | marks, credentials))
        except NO_MARK:
            return None
        made = cut(rendered, list(marks.values()))
        rendered = self._render(bound, bound.filled(given, credentials))
        is_right = made is not None and made.filled_shortly([*texts.values()]) == rendered
        return made if is_right else None
