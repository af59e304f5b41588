"""PDFs good and bad, looked at in a process of its own."""

import io
import os
import random
import time
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name

from app.delivery import inspect as inspecting
from app.delivery.inspect import Inspected, Inspector, NotInspected
from app.delivery.inspect.tasks import ALLOWED, Task

pytestmark = pytest.mark.anyio


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    made = Inspector()
    yield made
    await made.close()


def saved(document: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    document.save(out, **{"compress_streams": False, **options})  # type: ignore[arg-type]
    return out.getvalue()


def pdf(pages: int, filling: bytes = b"", **options: object) -> bytes:
    """Return a PDF of so many pages; the first draws what `filling` holds, uncompressed."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    if filling:
        document.pages[0].Contents = document.make_stream(filling)
    return saved(document, **options)


ENCRYPTED = pdf(1, encryption=pikepdf.Encryption(user="user", owner="owner"))
LOCKED = pdf(1, encryption=pikepdf.Encryption(user="", owner="owner"))
BROKEN = NotInspected("document_invalid", inspecting.BROKEN)
ONLY_PROTECTED = NotInspected("document_invalid", inspecting.ENCRYPTED)
PAGELESS = NotInspected("document_invalid", inspecting.EMPTY)


@pytest.mark.parametrize("pages", [1, 3, 250])
async def test_a_pdf_is_opened_and_its_pages_are_counted(inspector: Inspector, pages: int) -> None:
    assert await inspector.inspect(pdf(pages)) == Inspected(pages)


async def test_a_pdf_that_begins_after_a_few_other_bytes_opens(inspector: Inspector) -> None:
    assert await inspector.inspect(b"\r\nX-Mailer: x\r\n" + pdf(2)) == Inspected(2)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", BROKEN),
        (b"hello", BROKEN),
        (b"<html><body>404</body></html>", BROKEN),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), BROKEN),
        (b"PK\x03\x04" + bytes(100), BROKEN),
        (b" " * 1024 + b"%PDF-1.7\n", BROKEN),
        (b"%PDF-1.7", BROKEN),
        (b"%PDF-1.7\n" + random.Random(2).randbytes(5000), BROKEN),
        (b"%PDF-1.7\ntrailer <</Root 1 0 R>>\n%%EOF", BROKEN),
        (ENCRYPTED, ONLY_PROTECTED),
        (LOCKED, ONLY_PROTECTED),
        (pdf(0), PAGELESS),
    ],
    ids=[
        "nothing", "text", "html", "png", "zip", "late", "head", "junk", "trailer",
        "encrypted", "locked", "no page",
    ],
)  # fmt: skip
async def test_what_is_no_pdf_for_us_is_refused_and_says_what_to_do(
    inspector: Inspector, content: bytes, found: NotInspected
) -> None:
    assert await inspector.inspect(content) == found


async def test_a_truncated_pdf_never_counts_more_pages_than_it_has(inspector: Inspector) -> None:
    whole = pdf(3, b"%" + b"x" * 2000)

    for length in (20, len(whole) // 2, len(whole) - 600, len(whole) - 20):
        found = await inspector.inspect(whole[:length])
        assert found == BROKEN or (isinstance(found, Inspected) and found.pages <= 3)


def looping() -> bytes:
    """A page tree whose node is its own child."""
    document = pikepdf.new()
    document.add_blank_page()
    document.Root.Pages.Kids.append(document.Root.Pages)
    document.Root.Pages.Count = 2
    return saved(document)


def bragging() -> bytes:
    """A page tree that says it has two thousand million pages."""
    return pdf(1).replace(b"/Count 1", b"/Count 2000000000")


def nested() -> bytes:
    """Arrays in arrays, as deep as no reader goes."""
    deep = b"[" * 200_000 + b"]" * 200_000
    return b"%PDF-1.4\n1 0 obj\n" + deep + b"\nendobj\ntrailer <</Root 1 0 R>>\n%%EOF"


def bomb() -> bytes:
    """A content stream of 900 MB in 1 MB: who rewrites it must unpack it."""
    packer, block = zlib.compressobj(9), bytes(1_000_000)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    document = pikepdf.new()
    document.add_blank_page()
    stream = pikepdf.Stream(document, first + again * 899)
    stream.Filter = Name.FlateDecode
    document.pages[0].Contents = document.make_indirect(stream)
    out = io.BytesIO()
    document.save(out, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def crowded() -> bytes:
    """Twenty thousand pages under one node."""
    document = pikepdf.new()
    tree = document.Root.Pages
    tree.Kids = Array(
        document.make_indirect(Dictionary(Type=Name.Page, MediaBox=[0, 0, 9, 9], Parent=tree))
        for _ in range(20_000)
    )
    tree.Count = 20_000
    return saved(document)


@pytest.mark.parametrize(
    ("make", "found"),
    [(looping, BROKEN), (nested, BROKEN), (bragging, Inspected(1)), (crowded, Inspected(20_000))],
)
async def test_a_strange_page_tree_is_counted_as_it_is_or_refused(
    inspector: Inspector, make: Callable[[], bytes], found: Inspected | NotInspected
) -> None:
    content = make()

    looked = await inspector.inspect(content)
    rewritten = await inspector.inspect(content, rewrite=True)

    assert looked == found
    assert type(rewritten) is type(found)


async def test_a_process_that_dies_of_its_limits_is_a_refusal(inspector: Inspector) -> None:
    content = bomb()
    began = time.monotonic()

    found = await inspector.inspect(content, rewrite=True)

    assert found == NotInspected("document_invalid", inspecting.HOSTILE)
    assert time.monotonic() - began < ALLOWED[Task.REWRITE].patience
    assert len(content) < 1_500_000


async def test_no_process_is_left_behind(inspector: Inspector) -> None:
    before = children()

    await inspector.inspect(pdf(1))
    await inspector.inspect(b"%PDF-1.7\njunk")
    assert len(children()) == len(before) + 1
    await inspector.close()

    assert children() == before


def children() -> list[str]:
    task = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
    with open(task, encoding="ascii") as listed:  # noqa: PTH123
        return listed.read().split()


async def test_what_lies_in_the_working_directory_is_not_run(
    inspector: Inspector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path / "app", tmp_path / "app" / "delivery"):
        folder.mkdir()
        (folder / "__init__.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)

    assert await inspector.inspect(pdf(1)) == Inspected(1)


async def test_one_process_looks_at_many_documents(inspector: Inspector) -> None:
    began = time.monotonic()
    await inspector.inspect(pdf(1))
    first = time.monotonic() - began

    began = time.monotonic()
    for _ in range(20):
        assert await inspector.inspect(pdf(2)) == Inspected(2)

    # Twenty more cost less than three processes would.
    assert time.monotonic() - began < 3 * first


async def test_a_hostile_document_does_not_spoil_the_next_one(inspector: Inspector) -> None:
    assert await inspector.inspect(pdf(1)) == Inspected(1)
    (process,) = inspector._idle
    process.kill()
    await process.wait()

    spoiled = await inspector.inspect(pdf(1))

    assert isinstance(spoiled, Inspected)


async def test_who_reads_documents_holds_no_setting(
    inspector: Inspector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULTICANAL_FAX123_PASSWORD", "canary")

    await inspector.inspect(pdf(1))

    (process,) = inspector._idle
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"MULTICANAL" not in environment
    assert b"canary" not in environment
