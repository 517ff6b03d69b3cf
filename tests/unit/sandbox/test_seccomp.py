"""The seccomp filter, run by an interpreter of classic BPF instead of a kernel."""

from __future__ import annotations

import errno
import struct

import pytest

from dcodex_worker.sandbox import seccomp, syscalls

X86_64 = 0xC000003E
I386 = 0x40000003
ALLOW = 0x7FFF0000
ASK = 0x7FC00000
KILL = 0x80000000


def refused(number: int) -> int:
    return 0x00050000 | number


def run(number: int, *arguments: int, arch: int = X86_64, watched: bool = False) -> int:
    """What the filter returns for a system call."""
    data = struct.pack("<IIQ6Q", number, arch, 0, *arguments, *([0] * (6 - len(arguments))))
    program = list(struct.iter_unpack("<HBBI", seccomp.filter_program(watched)))
    accumulator = position = 0
    for _ in range(len(program)):
        code, true, false, k = program[position]
        position += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == 0x15:
            position += true if accumulator == k else false
        elif code == 0x35:
            position += true if accumulator >= k else false
        elif code == 0x45:
            position += true if accumulator & k else false
        elif code == 0x05:
            position += k
        elif code == 0x06:
            return int(k)
        else:
            raise AssertionError(f"instruction {code:#x}")
    raise AssertionError("the filter does not end")


ALLOWED = {name: number for _, _, group in syscalls.ALLOWED for name, number in group.items()}


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_what_a_group_names_is_allowed(name: str) -> None:
    assert run(ALLOWED[name]) == ALLOW


def test_whatever_no_group_names_is_refused() -> None:
    special = {syscalls.CLONE, syscalls.CLONE3, syscalls.SOCKET, syscalls.SOCKETPAIR}
    special |= {syscalls.IOCTL, syscalls.SYNC}
    for number in range(syscalls.LAST_KNOWN + 1):
        if number not in ALLOWED.values() and number not in special:
            assert run(number) == refused(errno.EPERM), number


def test_what_is_newer_than_the_table_does_not_exist() -> None:
    for number in (syscalls.LAST_KNOWN + 1, 600, 0x3FFFFFFF):
        assert run(number) == refused(errno.ENOSYS)


@pytest.mark.parametrize(
    "name",
    [
        *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "ptrace", "bpf"),
        *("perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "kexec_load"),
        *("init_module", "finit_module", "io_uring_setup", "io_uring_enter", "open_by_handle_at"),
        *("process_vm_readv", "process_vm_writev", "pidfd_getfd", "reboot", "swapon", "acct"),
    ],
)
def test_what_opens_the_kernel_or_another_process_is_in_no_group(name: str) -> None:
    assert name not in ALLOWED


def test_entry_by_another_architectures_table_kills() -> None:
    assert run(3, arch=I386) == KILL


def test_entry_by_x32_kills() -> None:
    assert run(0x40000000 | 1) == KILL


@pytest.mark.parametrize(
    "flag",
    [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000],
)
def test_a_clone_into_a_new_namespace_is_refused(flag: int) -> None:
    assert run(syscalls.CLONE, flag | 17) == refused(errno.EPERM)


def test_nobody_is_born_as_a_child_of_the_keeper() -> None:
    assert run(syscalls.CLONE, 0x8000 | 17) == refused(errno.EPERM)


def test_a_clone_of_a_process_or_thread_is_allowed() -> None:
    assert run(syscalls.CLONE, 17) == ALLOW
    assert run(syscalls.CLONE, 0x3D0F00) == ALLOW  # what pthread_create asks for


def test_clone3_does_not_exist_so_that_libc_falls_back() -> None:
    assert run(syscalls.CLONE3) == refused(errno.ENOSYS)


@pytest.mark.parametrize(
    ("family", "protocol", "answer"),
    [
        (1, 0, ALLOW),
        (2, 0, ALLOW),
        (10, 0, ALLOW),
        (2, 6, ALLOW),
        (10, 17, ALLOW),
        (2, 136, refused(errno.EAFNOSUPPORT)),
        (2, 262, refused(errno.EAFNOSUPPORT)),
        (10, 132, refused(errno.EAFNOSUPPORT)),
        (16, 0, ALLOW),
        (16, 9, refused(errno.EAFNOSUPPORT)),
        (17, 0, refused(errno.EAFNOSUPPORT)),
        (38, 0, refused(errno.EAFNOSUPPORT)),
        (40, 0, refused(errno.EAFNOSUPPORT)),
    ],
)
def test_sockets_are_of_the_usual_families(family: int, protocol: int, answer: int) -> None:
    assert run(syscalls.SOCKET, family, 1, protocol) == answer


def test_the_upper_half_of_an_argument_cannot_hide_a_family() -> None:
    # The kernel takes `int`: what stands above its 32 bits is not looked at by either.
    assert run(syscalls.SOCKET, (1 << 32) | 17) == refused(errno.EAFNOSUPPORT)


@pytest.mark.parametrize("request_number", syscalls.IOCTL_FORBIDDEN)
def test_a_terminal_takes_no_forged_keystrokes(request_number: int) -> None:
    assert run(syscalls.IOCTL, 0, request_number) == refused(errno.EPERM)
    assert run(syscalls.IOCTL, 0, (1 << 32) | request_number) == refused(errno.EPERM)


def test_other_requests_to_descriptors_are_allowed() -> None:
    assert run(syscalls.IOCTL, 0, 0x5401) == ALLOW


def test_nobody_makes_the_machine_write_out_its_disks() -> None:
    assert run(syscalls.SYNC) == refused(0)


@pytest.mark.parametrize("option", [26, 50, 51, 52])
def test_no_socket_has_a_filter_compiled_into_memory_that_all_share(option: int) -> None:
    assert run(syscalls.SETSOCKOPT, 3, 1, option) == refused(errno.EPERM)
    assert run(syscalls.SETSOCKOPT, 3, 1, (1 << 32) | option) == refused(errno.EPERM)
    # The same number is another option of another level.
    assert run(syscalls.SETSOCKOPT, 3, 6, option) == ALLOW


def test_other_options_of_sockets_are_allowed() -> None:
    for option in (2, 7, 8, 9, 13, 15, 20, 25, 27, 49, 53):
        assert run(syscalls.SETSOCKOPT, 3, 1, option) == ALLOW


def test_a_program_adds_no_filter_of_its_own() -> None:
    assert run(syscalls.SECCOMP, 1, 8) == refused(errno.EINVAL)
    assert run(syscalls.PRCTL, 22, 2) == refused(errno.EINVAL)
    # The strict mode has none, and a thread may ask what it is in.
    assert run(syscalls.PRCTL, 22, 1) == ALLOW
    assert run(syscalls.PRCTL, 21) == ALLOW
    assert run(syscalls.SECCOMP, 2) == ALLOW


def test_nobody_has_a_core_to_itself() -> None:
    assert run(syscalls.PRCTL, 62, 1) == refused(errno.EINVAL)


def test_shared_files_stay_in_memory() -> None:
    assert run(syscalls.FADVISE64, 3, 0, 0, 4) == refused(0)
    assert run(syscalls.FADVISE64, 3, 0, 0, 2) == ALLOW


def test_pages_are_not_merged_with_those_of_others() -> None:
    assert run(syscalls.MADVISE, 0, 0, 12) == refused(errno.EINVAL)
    assert run(syscalls.MADVISE, 0, 0, 4) == ALLOW


@pytest.mark.parametrize(
    ("family", "protocol"), [(2, 0), (2, 6), (2, 17), (10, 0), (10, 6), (10, 17), (16, 0)]
)
def test_the_keeper_is_asked_about_sockets_that_count_to_no_group(
    family: int, protocol: int
) -> None:
    assert run(syscalls.SOCKET, family, 1, protocol, watched=True) == ASK
    assert run(syscalls.SOCKET, family, 1, protocol) == ALLOW


def test_the_keeper_is_not_asked_about_local_sockets_and_refused_ones() -> None:
    assert run(syscalls.SOCKET, 1, 1, 0, watched=True) == ALLOW
    assert run(syscalls.SOCKETPAIR, 1, 1, 0, watched=True) == ALLOW
    assert run(syscalls.SOCKET, 40, 1, 0, watched=True) == refused(errno.EAFNOSUPPORT)
    assert run(syscalls.SOCKET, 16, 3, 9, watched=True) == refused(errno.EAFNOSUPPORT)


def test_the_keeper_is_asked_about_receive_buffers_alone() -> None:
    assert run(syscalls.SETSOCKOPT, 3, 1, 8, watched=True) == ASK
    assert run(syscalls.SETSOCKOPT, 3, 1, 7, watched=True) == ALLOW
    assert run(syscalls.SETSOCKOPT, 3, 6, 8, watched=True) == ALLOW
    assert run(syscalls.SETSOCKOPT, 3, 1, 26, watched=True) == refused(errno.EPERM)


@pytest.mark.parametrize(
    "call",
    [
        (syscalls.GETRLIMIT, 4, 0x7000),
        (syscalls.SETRLIMIT, 4, 0x7000),
        (syscalls.PRLIMIT64, 0, 4, 0, 0x7000),
        (syscalls.PRLIMIT64, 0, 4, 0x7000, 0),
        # A pointer whose lower half is nothing.
        (syscalls.PRLIMIT64, 0, 4, 1 << 32, 0),
    ],
)
def test_the_keeper_speaks_for_the_limit_on_core_dumps(call: tuple[int, ...]) -> None:
    assert run(*call, watched=True) == ASK
    reads = call[0] == syscalls.GETRLIMIT or (call[0] == syscalls.PRLIMIT64 and not call[3])
    assert run(*call) == (ALLOW if reads else refused(errno.EPERM))


def test_the_kernel_speaks_for_other_limits() -> None:
    assert run(syscalls.SETRLIMIT, 3, 0x7000, watched=True) == ALLOW
    assert run(syscalls.PRLIMIT64, 4, 3, 0x7000, 0, watched=True) == ALLOW


def test_nobody_takes_the_huge_pages_that_the_machine_keeps() -> None:
    assert run(syscalls.MMAP, 0, 1 << 21, 3, 0x40022) == refused(errno.ENOMEM)
    assert run(syscalls.SHMGET, 1, 1 << 21, 0o4600) == refused(errno.ENOMEM)
    assert run(syscalls.MEMFD_CREATE, 0x7000, 4 | 1) == refused(errno.EINVAL)
    assert run(syscalls.MMAP, 0, 1 << 21, 3, 0x22) == ALLOW
    assert run(syscalls.SHMGET, 1, 1 << 21, 0o1600) == ALLOW
    assert run(syscalls.MEMFD_CREATE, 0x7000, 1) == ALLOW
