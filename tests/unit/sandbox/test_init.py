"""The smallest program, as bytes."""

from __future__ import annotations

import struct

import pytest

from dcodex_worker.sandbox import init


def test_the_image_is_one_readable_executable_segment_that_starts_at_its_code() -> None:
    image = init.elf_image("x86_64")
    assert image[:4] == b"\x7fELF"
    (entry,) = struct.unpack_from("<Q", image, 24)
    kind, flags, offset, address, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", image, 64)
    assert (kind, flags, offset, size) == (1, 5, 0, len(image))
    assert entry - address == 64 + 56


def test_the_loop_jumps_back_to_its_own_call() -> None:
    image = init.elf_image("x86_64")
    code = image[64 + 56 :]
    distance = struct.unpack("b", code[-1:])[0]
    # pause is `mov eax, 34` and `syscall`: seven bytes, with the jump's two behind them.
    assert code[len(code) + distance :].startswith(b"\xb8\x22\x00\x00\x00\x0f\x05")


def test_an_unknown_machine_is_an_error() -> None:
    with pytest.raises(KeyError):
        init.elf_image("pdp11")
