"""A system of the test's own; the parts that a test starts are its own to end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.play import Play
from tests.crash.site import SLOWLY, Site


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[[str], Play]]:
    """Make a system on SQLite, with everything but a worker; it may be a mutant."""
    with ExitStack() as stack:

        def made(mutant: str = "") -> Play:
            site = Site(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", mutant=mutant, pace=SLOWLY)
            stack.callback(site.close)
            played = Play(site)
            played.open()
            return played

        yield made
