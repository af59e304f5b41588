"""Hold the bodies of requests within a bound: what many send at once must not take all memory."""

from typing import Final

from starlette.types import Scope

from app.domain.errors import TooBusy

AT_ONCE: Final = 8  # of the longest bodies that are taken, in each process
SMALL: Final = 65_536  # bytes of each body that are never refused: a short message always passes
_KEY: Final = "held"


class Held:
    """Counts the bytes of bodies whose requests are not answered yet."""

    def __init__(self, longest: int) -> None:
        self._left = longest * AT_ONCE

    def take(self, scope: Scope, size: int) -> None:
        """Count bytes of a request's body; raises TooBusy where they are too many."""
        state = scope.setdefault("state", {})
        held: int = state.get(_KEY, 0)
        if size > self._left and held + size > SMALL:
            raise TooBusy
        self._left -= size
        state[_KEY] = held + size

    def give_back(self, scope: Scope) -> None:
        """Forget a request that is answered."""
        self._left += scope["state"].pop(_KEY, 0)
