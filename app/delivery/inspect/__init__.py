"""Look at documents, and make PDFs of them, in processes of their own with little memory and time.

A hostile document can make a reader use any amount of either: that process dies alone.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from app.delivery.inspect.recognise import JPEG, PDF, PNG, TEXT, TIFF, media_type_of, signature_of
from app.delivery.inspect.refuse import BROKEN, EMPTY, ENCRYPTED, HOSTILE, INVALID
from app.delivery.inspect.tasks import ALLOWED, ANSWER, QUESTION, READY, Task

__all__ = [
    "BROKEN", "EMPTY", "ENCRYPTED", "HOSTILE", "INVALID",
    "JPEG", "PDF", "PNG", "TEXT", "TIFF",
    "Inspected", "Inspector", "NotInspected", "Overlarge", "media_type_of", "signature_of",
]  # fmt: skip

AT_ONCE: Final = 4  # processes
_SETTINGS: Final = "MULTICANAL_"
DRAWING_AT_ONCE: Final = 2  # of them: who only looks at a document need not wait for the slow ones


@dataclass(frozen=True, slots=True)
class Inspected:
    """A document that opens."""

    pages: int
    rewritten: bytes | None = None  # the same pages as another PDF, where that was asked for


@dataclass(frozen=True, slots=True)
class NotInspected:
    """A file that is no document for us."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Overlarge:
    """A document that is too large at fax resolution as well."""

    size: int  # bytes of the pages that were drawn before that was plain
    drawn: int  # pages
    pages: int


class Inspector:
    """Looks at documents, a few at once, in processes that it keeps for the next one."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._drawing = asyncio.Semaphore(DRAWING_AT_ONCE)
        self._idle: list[Process] = []

    async def inspect(self, content: bytes, *, rewrite: bool = False) -> Inspected | NotInspected:
        """Open a PDF; with `rewrite`, also write it anew without loss."""
        if b"%PDF-" not in content[:1024]:
            return NotInspected(INVALID, BROKEN)
        return _read(await self._done(Task.REWRITE if rewrite else Task.LOOK, content))

    async def convert(self, content: bytes, media_type: str) -> Inspected | NotInspected:
        """Make a PDF, `rewritten`, of a picture or a text of a kind that is recognised."""
        if media_type == TEXT:
            return _read(await self._done(Task.TYPESET, content))
        return _read(await self._done(Task.DRAW, content, media_type=media_type))

    async def to_bilevel(
        self, content: bytes, largest: int
    ) -> Inspected | NotInspected | Overlarge:
        """Draw a PDF's pages anew in black and white, as a fax machine will, in `largest` bytes."""
        answer = await self._done(Task.RASTERISE, content, largest=largest)
        if not isinstance(answer, NotInspected) and "drawn" in answer[0]:
            return Overlarge(**answer[0])
        return _read(answer)

    async def _done(
        self, task: Task, content: bytes, **options: object
    ) -> tuple[Any, bytes] | NotInspected:
        """Return what a process found, and the PDF that it wrote."""
        async with AsyncExitStack() as turns:
            if ALLOWED[task].draws:
                await turns.enter_async_context(self._drawing)
            await turns.enter_async_context(self._at_once)
            process = await self._process()
            answer = None
            try:
                async with asyncio.timeout(ALLOWED[task].patience):
                    answer = await _asked(process, {"task": task, **options}, content)
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                return NotInspected(INVALID, HOSTILE)
            finally:
                # Also where the caller left meanwhile.
                if answer is None:
                    await _ended(process)
                else:
                    self._idle.append(process)
        return answer

    async def _process(self) -> Process:
        """Return a process that waits for a document."""
        while self._idle:
            process = self._idle.pop()
            if process.returncode is None:
                return process
            await _ended(process)
        return await _started()

    async def close(self) -> None:
        """End every process."""
        while self._idle:
            await _ended(self._idle.pop())


def _read(answer: tuple[Any, bytes] | NotInspected) -> Inspected | NotInspected:
    if isinstance(answer, NotInspected):
        return answer
    found, written = answer
    return (
        Inspected(**found, rewritten=written or None) if "pages" in found else NotInspected(**found)
    )


async def _started() -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Isolated: what lies in the working directory is not looked at.
        *("-I", "-m", f"{__name__}.process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=_environment(),
    )
    assert process.stdout is not None
    if await process.stdout.read(len(READY)) != READY:
        # Not the document's fault: it was not looked at.
        await _ended(process)
        message = "the process that looks at documents does not start"
        raise RuntimeError(message)
    return process


def _environment() -> dict[str, str]:
    """Return ours without any setting: who reads hostile documents holds no password."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    # Large pieces go back to the system one by one, or a large picture would stay for good.
    return kept | {"MALLOC_MMAP_THRESHOLD_": "1048576"}


async def _asked(process: Process, asked: dict[str, object], content: bytes) -> tuple[Any, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    head = json.dumps(asked).encode()
    process.stdin.write(QUESTION.pack(len(head), len(content)) + head + content)
    await process.stdin.drain()
    length, rest = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))
    found = json.loads(await process.stdout.readexactly(length))
    return found, await process.stdout.readexactly(rest)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    # Reads what is left as well, or the pipes would stay open.
    await process.communicate()
