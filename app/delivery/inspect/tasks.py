"""What a process that looks at documents can be asked, how it is asked, and what it may use."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

READY: Final = b"+"
QUESTION: Final = struct.Struct(
    "!IQ"
)  # the sizes of the task with its options, and of the document
ANSWER: Final = struct.Struct("!IQ")  # the sizes of the findings, and of the PDF that was written

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a task may use.

    Measured: 50 megapixels with transparency took 690 MiB and 2 s; ten megabytes of text, 340 MiB
    and 4 s; a page at 600 dpi, 210 MiB and 0.4 s; 250 blank pages, 13 s.
    """

    memory: int  # bytes of address space
    seconds: int  # of processor time
    patience: float  # seconds of any time
    draws: bool = False  # its pages are drawn, which takes long


class Task(StrEnum):
    """One thing that is done with a document."""

    LOOK = "look"
    REWRITE = "rewrite"
    DRAW = "draw"
    TYPESET = "typeset"
    RASTERISE = "rasterise"


ALLOWED: Final[Mapping[Task, Allowance]] = {
    Task.LOOK: Allowance(512 * _MIB, 5, 15.0),
    Task.REWRITE: Allowance(512 * _MIB, 5, 15.0),
    Task.DRAW: Allowance(1024 * _MIB, 15, 40.0, draws=True),
    Task.TYPESET: Allowance(512 * _MIB, 10, 30.0, draws=True),
    Task.RASTERISE: Allowance(768 * _MIB, 20, 50.0, draws=True),
}
MOST_MEMORY: Final = max(one.memory for one in ALLOWED.values())
