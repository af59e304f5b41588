"""What clients are told: answers that a gateway gave to the examples, by their shape."""

import json
from pathlib import Path
from typing import Any, Final

_FILE: Final = Path(__file__).with_name("answers.json")


def answers() -> dict[str, dict[str, Any]]:
    """Return an example of each shape."""
    found: dict[str, dict[str, Any]] = json.loads(_FILE.read_text())
    return found
