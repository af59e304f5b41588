"""Look at a PDF before it is accepted, in a process of its own with little memory and time.

A hostile PDF can make a reader use any amount of either: that process dies alone.
"""

import asyncio
import io
import json
import resource
import struct
import sys
import time
from asyncio.subprocess import Process
from dataclasses import dataclass
from typing import Any, Final

import pikepdf

MEMORY: Final = 512 * 1024 * 1024  # bytes of address space
SECONDS: Final = 5  # of processor time
PATIENCE: Final = 15.0  # seconds of any time
AT_ONCE: Final = 4  # processes

READY: Final = b"+"
QUESTION: Final = struct.Struct("!?Q")  # whether to rewrite, and the document's size
ANSWER: Final = struct.Struct("!IQ")  # the sizes of the findings and of the rewritten document

INVALID: Final = "document_invalid"
ENCRYPTED: Final = "The PDF is protected by a password; send it without one."
BROKEN: Final = "The file does not open as a PDF; write it anew and send it again."
EMPTY: Final = "The PDF has no page."
HOSTILE: Final = "The PDF takes too much memory or time to read; write it anew in a simpler form."


@dataclass(frozen=True, slots=True)
class Inspected:
    """A PDF that opens."""

    pages: int
    rewritten: bytes | None = None  # the same pages in fewer bytes, where that was asked for


@dataclass(frozen=True, slots=True)
class NotInspected:
    """A file that is no PDF for us."""

    code: str
    detail: str


class Inspector:
    """Looks at PDFs, a few at once, in processes that it keeps for the next one."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._idle: list[Process] = []

    async def inspect(self, content: bytes, *, rewrite: bool = False) -> Inspected | NotInspected:
        """Open a PDF; with `rewrite`, also write it anew without loss."""
        if b"%PDF-" not in content[:1024]:
            return NotInspected(INVALID, BROKEN)
        async with self._at_once:
            process = await self._process()
            answer = None
            try:
                answer = await asyncio.wait_for(_asked(process, content, rewrite), PATIENCE)
            except (TimeoutError, asyncio.IncompleteReadError, ConnectionError):
                return NotInspected(INVALID, HOSTILE)
            finally:
                # Also where the caller left meanwhile.
                if answer is None:
                    await _ended(process)
                else:
                    self._idle.append(process)
        found, rewritten = answer
        if "pages" not in found:
            return NotInspected(INVALID, found["detail"])
        return Inspected(found["pages"], rewritten if rewrite else None)

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


async def _started() -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        # Isolated: what lies in the working directory is not looked at.
        *("-I", "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    if await process.stdout.read(len(READY)) != READY:
        # Not the document's fault: it was not looked at.
        await _ended(process)
        message = "the process that looks at documents does not start"
        raise RuntimeError(message)
    return process


async def _asked(process: Process, content: bytes, rewrite: bool) -> tuple[Any, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(QUESTION.pack(rewrite, len(content)) + content)
    await process.stdin.drain()
    head, rest = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))
    found = json.loads(await process.stdout.readexactly(head))
    return found, await process.stdout.readexactly(rest)


async def _ended(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    # Reads what is left as well, or the pipes would stay open.
    await process.communicate()


def look(content: bytes, *, rewrite: bool) -> tuple[dict[str, object], bytes]:
    """Open a PDF in this process; return what was found, and the rewritten file."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                return {"detail": ENCRYPTED}, b""
            pages = len(pdf.pages)
            if pages == 0:
                return {"detail": EMPTY}, b""
            return {"pages": pages}, _rewritten(pdf) if rewrite else b""
    except pikepdf.PasswordError:
        return {"detail": ENCRYPTED}, b""
    except (pikepdf.PdfError, ValueError):
        return {"detail": BROKEN}, b""


def _rewritten(pdf: pikepdf.Pdf) -> bytes:
    pdf.remove_unreferenced_resources()
    out = io.BytesIO()
    pdf.save(
        out,
        compress_streams=True,
        recompress_flate=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return out.getvalue()


def main() -> None:
    """Be the process of its own: questions on standard input, answers on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    while question := sys.stdin.buffer.read(QUESTION.size):
        rewrite, size = QUESTION.unpack(question)
        used = time.process_time()
        # The limit counts from the process's start; who exceeds it is killed by the kernel.
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + SECONDS, hard))
        found, rewritten = look(sys.stdin.buffer.read(size), rewrite=rewrite)
        head = json.dumps(found).encode()
        sys.stdout.buffer.write(ANSWER.pack(len(head), len(rewritten)) + head + rewritten)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
