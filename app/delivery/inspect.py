"""Look at a PDF before it is accepted, in a process of its own with little memory and time.

A hostile PDF can make a reader use any amount of either: that process dies alone.
"""

import asyncio
import io
import json
import resource
import sys
from dataclasses import dataclass
from typing import Final

import pikepdf

MEMORY: Final = 512 * 1024 * 1024  # bytes of address space
SECONDS: Final = 5  # of processor time
PATIENCE: Final = 15.0  # seconds of any time
AT_ONCE: Final = 4  # processes

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
    """Looks at PDFs, a few at once."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def inspect(self, content: bytes, *, rewrite: bool = False) -> Inspected | NotInspected:
        """Open a PDF; with `rewrite`, also write it anew without loss."""
        if b"%PDF-" not in content[:1024]:
            return NotInspected(INVALID, BROKEN)
        async with self._at_once:
            return await _apart(content, rewrite=rewrite)


async def _apart(content: bytes, *, rewrite: bool) -> Inspected | NotInspected:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", __name__, "rewrite" if rewrite else "look"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(content), PATIENCE)
    except TimeoutError:
        return NotInspected(INVALID, HOSTILE)
    finally:
        # Also where the caller left meanwhile.
        if process.returncode is None:
            process.kill()
            await process.wait()
    head, _, rewritten = out.partition(b"\n")
    if process.returncode != 0 or not head:
        return NotInspected(INVALID, HOSTILE)
    found = json.loads(head)
    if "pages" not in found:
        return NotInspected(INVALID, found["detail"])
    return Inspected(found["pages"], rewritten if rewrite else None)


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
    """Be the process of its own: a PDF on standard input, findings on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    found, rewritten = look(sys.stdin.buffer.read(), rewrite=sys.argv[1] == "rewrite")
    sys.stdout.buffer.write(json.dumps(found).encode() + b"\n" + rewritten)


if __name__ == "__main__":
    main()
