"""An operator's TOML file: what no document says, written down and read again when it changed.

Whoever asks gets what the file says at most a few seconds ago. A file that became wrong is not
taken: what it said before stays in force, and the reason is logged once.
"""

import time
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

log = structlog.get_logger()

LOOK: Final = 2.0  # seconds between looks at the file
T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model], wrong: Callable[[Model], Iterable[str]]) -> Model:
    """Read a file; a ValueError names every wrong place in it, and no value."""
    try:
        said = model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as fault:
        raise _wrong(path, dict.fromkeys(_said(error) for error in fault.errors())) from None
    except UnicodeDecodeError:
        message = f"{path} cannot be read as TOML: it is not UTF-8"
        raise ValueError(message) from None
    except (OSError, tomllib.TOMLDecodeError) as fault:
        message = f"{path} cannot be read as TOML: {fault}"
        raise ValueError(message) from None
    if places_wrong := list(wrong(said)):
        raise _wrong(path, places_wrong)
    return said


def _said(error: ErrorDetails) -> str:
    """Return the place of a wrong entry, and what may stand there; never what stands there."""
    place = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "literal_error":
            return f"{place} (only {error['ctx']['expected']})".replace("'", "")
        case "extra_forbidden":
            return f"{place} (no such entry)"
        case "missing":
            return f"{place} (missing)"
        case _:
            return place


def _wrong(path: Path, places: Iterable[str]) -> ValueError:
    return ValueError(f"{path} has wrong entries: {', '.join(places)}")


class OperatorFile(Generic[T]):
    """What a file says now."""

    def __init__(self, path: Path | None, read: Callable[[Path], T], nothing: T) -> None:
        """Read the file; a ValueError names what is wrong with it. No path: it says nothing."""
        self._path = path
        self._read = read
        self._seen = _state(path)
        self._look_at = time.monotonic() + LOOK
        self._said = read(path) if path is not None else nothing

    def now(self) -> T:
        """Return what the file says, after a look at it where the last one is some seconds ago."""
        if self._path is not None and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK
            self._follow(self._path)
        return self._said

    def _follow(self, path: Path) -> None:
        state = _state(path)
        if state == self._seen:
            return
        self._seen = state
        try:
            self._said = self._read(path)
        except ValueError as fault:
            log.warning("bindings_refused", why=str(fault))
        else:
            log.info("bindings_read", path=str(path))


def _state(path: Path | None) -> tuple[int, ...] | None:
    """Return what differs when a file was written or replaced; None where there is none."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if found else None
