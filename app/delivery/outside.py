"""The copy of a store's position that is kept outside it, in a small file.

A restored store cannot know what it has forgotten. The file is written beside the store's own
commits, not within them: at most a second old, whole or not at all, and synced.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Copy:
    """Which store it was, and how far it had come."""

    store_id: UUID
    position: int


class UnreadableCopy(Exception):
    """The file with the store's position is not what this program wrote."""


def read(file: Path) -> Copy | None:
    """Return what was written last, None where nothing was; raises UnreadableCopy, OSError."""
    try:
        found = json.loads(file.read_bytes())
        return Copy(UUID(found["store_id"]), int(found["position"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as fault:
        message = f"{file} cannot be read ({type(fault).__name__}): remove it after a look at it"
        raise UnreadableCopy(message) from None


def write(file: Path, copy: Copy) -> None:
    """Write a copy, whole or not at all; raises OSError."""
    new = file.with_name(f"{file.name}.{os.getpid()}")
    with new.open("w") as opened:
        json.dump({"store_id": str(copy.store_id), "position": copy.position}, opened)
        opened.flush()
        os.fsync(opened.fileno())
    new.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
