"""What a person can mend: said in a line each, and without a traceback."""

from typing import Final

from sqlalchemy.exc import DatabaseError

from app.build import WrongRevision
from app.delivery.outside import UnreadableCopy
from app.processes import PortTaken
from app.ready import CONFIG_ERROR, end
from app.settings import WrongSettings
from app.store.clock import ClockSkewed
from app.store.database import UNAVAILABLE, lacks_schema
from app.store.safety import UnsafeStore
from app.store.unusable import unusable

_ONE_LINE: Final = (PortTaken, WrongRevision, ClockSkewed, UnreadableCopy)
MENDABLE: Final = (WrongSettings, UnsafeStore, *_ONE_LINE, *UNAVAILABLE, DatabaseError)


def tell(fault: BaseException) -> None:
    """Say what is wrong, and end; a fault of ours is raised again."""
    if isinstance(fault, WrongSettings | UnsafeStore):
        end(fault.problems, CONFIG_ERROR)
    if isinstance(fault, _ONE_LINE):
        end([str(fault)], 1)
    # A file that is none of SQLite, or damaged, is exactly a DatabaseError.
    if isinstance(fault, UNAVAILABLE) or type(fault) is DatabaseError or lacks_schema(fault):
        end([unusable(fault)], 1)
    raise fault
