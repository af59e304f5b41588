"""Answers that are small on the wire and large once they are unpacked: each is a gibibyte."""

import base64
import gzip
import struct
import zlib
from collections.abc import Iterator

MEBIBYTE = 1_048_576
TIMES = 1024
# 1,024 mebibytes of zeros by brotli 1.2 (quality 11, window 24), 841 bytes, deflated once more.
_BROTLI = (
    "eNo7//9//Q91hkcbHRS+/5v/////D/4MRxIZG979tQdyHs5n6DisxHD3d/2///8P2zMKtLMy7Pr+/8///+31TAp83Awl"
    "7////P+f/z+Lg4wYw4t7/z///y//j7PBQofhwt7/z///t/8jzFAYwbCg+v95qEUbGBxwWcQ0atGoRUPUInsAVujmqA=="
)


def deflated(wbits: int) -> Iterator[bytes]:
    """Zeros as gzip (31), zlib (15) or bare deflate (-15), in blocks that repeat."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    zeros = bytes(MEBIBYTE)
    yield packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush each block stands alone: the second one can be said again and again.
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(TIMES - 1):
        yield block


def members() -> Iterator[bytes]:
    """Zeros as gzip members, one after the other."""
    member = gzip.compress(bytes(MEBIBYTE))
    for _ in range(TIMES):
        yield member


def brotli() -> bytes:
    return zlib.decompress(base64.b64decode(_BROTLI))


def zstandard() -> bytes:
    """Zeros as Zstandard's blocks of one repeated byte (RFC 8878, 3.1.1.2)."""
    largest = 131_072
    head = struct.pack("<IBB", 0xFD2FB528, 0, 0x70)  # a window of 16 MiB, no size stated
    block, last = (struct.pack("<I", largest << 3 | 1 << 1 | end)[:3] + b"\0" for end in (0, 1))
    return head + block * (TIMES * MEBIBYTE // largest - 1) + last
