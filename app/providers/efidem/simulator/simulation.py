"""What one running simulator holds, and what its functions reply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from app.providers.efidem.simulator.call import Trio
from app.providers.efidem.simulator.ledger import Ledger
from app.providers.efidem.simulator.outcomes import Outcomes


class Silence(Enum):
    """No answer at all."""

    CONNECTION_CUT = auto()


# A text, a file, an object's fields in order, or nothing.
Reply = str | bytes | Mapping[str, str] | Silence


@dataclass(slots=True)
class Simulation:
    """One simulator: what it accepted, what tests asked of it, and its clock."""

    ledger: Ledger
    outcomes: Outcomes
    account: Trio | None
    pace: float  # multiplies every simulated delay
    now: Callable[[], float]
    report_lag: float = 0.0  # seconds for which RAPPORT does not yet know a message
    users: dict[str, str] = field(default_factory=dict)  # passwords of the console, by name
