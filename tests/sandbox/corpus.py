"""The table of attacks: each program with what it must come to.

A program that probes prints CONTAINED or LEAK:what first; one that runs into a limit is judged
by the verdict that ended it. Words in braces in `args` are filled in by the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dcodex import Limits, Verdict

ATTACKS_DIR = Path(__file__).parent / "attacks"
LANGUAGE_OF = {".py": "python", ".c": "c", ".cpp": "cpp"}

MIB = 1 << 20
#: What applies where a row says nothing: small, so that the corpus is quick and the host safe.
USUAL = Limits(cpu_s=3.0, wall_s=8.0, memory_bytes=256 * MIB, processes=48, output_bytes=MIB)

#: For what walks the whole runtime tree.
PATIENT = Limits(cpu_s=15.0, wall_s=60.0, memory_bytes=256 * MIB, output_bytes=MIB)

OK = frozenset({Verdict.OK})
FAILED = frozenset({Verdict.NONZERO_EXIT})
SIGNALED = frozenset({Verdict.SIGNALED})
CPU = frozenset({Verdict.CPU_LIMIT})
WALL = frozenset({Verdict.WALL_LIMIT})
MEMORY = frozenset({Verdict.MEMORY_LIMIT})
OUTPUT = frozenset({Verdict.OUTPUT_LIMIT})
PROCESSES = frozenset({Verdict.PROCESS_LIMIT})
COMPILE_ERROR = frozenset({Verdict.COMPILE_ERROR})
COMPILE_STOPPED = frozenset({Verdict.COMPILE_ERROR, Verdict.COMPILE_LIMIT})
#: A bomb may run into whichever limit is nearest.
ANY_LIMIT = CPU | WALL | MEMORY | OUTPUT | PROCESSES
#: Refused politely, or killed on memory: both are bounds.
OK_OR_MEMORY = OK | MEMORY
ENDED = ANY_LIMIT | FAILED | SIGNALED | OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One program, how it is run, and what it must come to."""

    #: Below attacks/.
    file: str
    verdicts: frozenset[Verdict]
    #: Distinguishes rows that share a file.
    case: str = ""
    #: None: whatever goes with the verdict.
    exit_code: int | None = None
    #: The signal that ended it; 0 for none, None for whatever goes with the verdict.
    signal: int | None = None
    #: What stdout must begin with.
    starts: bytes = b""
    #: What stdout must be, to the byte.
    stdout: bytes | None = None
    stderr: bytes | None = None
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    limits: Limits = USUAL
    #: Other files of the request: (path there, file below attacks/, mode).
    beside: tuple[tuple[str, str, int], ...] = ()
    #: Where the program itself is stored, when not under the language's usual name.
    stored_as: str = ""
    #: A hello must run at once afterwards.
    destructive: bool = False
    #: What it may have used when it was stopped, in seconds.
    max_cpu_s: float | None = None
    max_wall_s: float | None = None
    #: What the caller may receive of stdout and stderr together.
    max_output: int | None = None

    @property
    def name(self) -> str:
        """Unique in the table."""
        return f"{self.file}-{self.case}" if self.case else self.file

    @property
    def language(self) -> str:
        """Canonical, from the file's extension."""
        return LANGUAGE_OF[Path(self.file).suffix]

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Path in the request to content and mode."""
        suffix = Path(self.file).suffix
        helper = "probe.py" if suffix == ".py" else "probe.h"
        stored = {self.stored_as or f"main{suffix}": (_read(self.file), 0o644)}
        stored[helper] = (_read(helper), 0o644)
        for path, source, mode in self.beside:
            stored[path] = (_read(source), mode)
        return stored


def _read(name: str) -> bytes:
    return (ATTACKS_DIR / name).read_bytes()


def _probes(*files: str, args: tuple[str, ...] = (), limits: Limits = USUAL) -> list[Attack]:
    """Programs that only look and try: contained when they say so."""
    return [
        Attack(file=file, verdicts=OK, starts=b"CONTAINED", args=args, limits=limits)
        for file in files
    ]


FILES = (
    *_probes("readonly_root.py", "readonly_root.c", "readonly_root.cpp", "host_files.py"),
    *_probes("writable_places.py", limits=PATIENT),
    *_probes("device_nodes.py", "opath_tricks.py", "suid_inert.py"),
    *_probes(
        "hardlinks.py",
        "touch_devices.py",
        "symlink_next_write.py",
        "odd_outputs.py",
        "sparse_file.py",
    ),
    *_probes(
        "nested_directories.py",
        "many_symlinks.py",
        "symlink_secrets.py",
        "cwd_removed.py",
        "huge_names.py",
    ),
    Attack(file="fill_workdir.py", verdicts=OK_OR_MEMORY, destructive=True),
    Attack(file="fill_tmp.py", verdicts=OK_OR_MEMORY, destructive=True),
    Attack(file="fill_shm.py", verdicts=OK_OR_MEMORY, destructive=True),
    Attack(file="inode_flood.py", verdicts=OK_OR_MEMORY | CPU, destructive=True),
)
PROC = (
    *_probes("procfs_secrets.py", "cgroup_files.py", "ptrace_neighbour.py", "inherited_memory.py"),
    *_probes("template_heap.py"),
    *_probes("procfs_pids.py", args=("{runtime_dir}", "{canary}", "{host}")),
    *_probes("oom_score.py", args=("{oom_floor}",)),
    *_probes(
        "pid_one.py",
        "replace_self.py",
        "memfd_exec.py",
        "core_dump.py",
        "stdio_tricks.py",
        "abort_storm.c",
    ),
)
IDENTITY = (
    *_probes("identity.py", "descriptors.py", "descriptors.c", "prctl_tricks.py"),
    *_probes("setrlimit_up.py", "priority_up.py", "tiocsti.py", "terminal.py", "chroot.py"),
    *_probes("sysctl.py", "first_to_go.py", "usr_local.py", "stack_hog.c", "pending_signals.py"),
    *_probes("keyring.py", args=("{canary}",)),
    *_probes("host_names.py", args=("{host}", "{runtime_dir}")),
    *_probes("template_secrets.py", args=("{canary}",)),
    *_probes("memory_words.py", args=("{halves}",)),
    Attack(
        file="descriptors.py",
        case="fresh-interpreter",
        verdicts=OK,
        starts=b"CONTAINED",
        env=(("PYTHONHASHSEED", "0"),),
    ),
    Attack(
        file="identity.py",
        case="fresh-interpreter",
        verdicts=OK,
        starts=b"CONTAINED",
        env=(("PYTHONHASHSEED", "0"),),
    ),
    Attack(
        file="environment.py",
        verdicts=OK,
        starts=b"CONTAINED",
        args=("{canary}",),
        env=(("ASKED", "for"),),
    ),
)
NETWORK = (
    *_probes("interfaces.py", "odd_families.c", "odd_families.py", "rare_protocols.c"),
    *_probes("host_network.py", args=("{targets}",)),
)
SYSCALLS = _probes(
    "mount_family.c",
    "namespaces.c",
    "rare_syscalls.c",
    "int80.c",
    "x32.c",
    "far_jump.c",
    "seccomp_stack.c",
    "filter_memory.c",
    "init_untouchable.c",
    "switches.c",
    "shared_pages.py",
    "elf32.py",
)
BOMBS = (
    *(
        Attack(
            file=file,
            verdicts=ANY_LIMIT,
            destructive=True,
            max_wall_s=6.0,
            limits=Limits(cpu_s=1.0, wall_s=3.0, memory_bytes=256 * MIB, processes=64),
        )
        for file in ("fork_bomb.py", "fork_bomb.c", "fork_bomb.cpp")
    ),
    Attack(file="process_limit.py", verdicts=PROCESSES, exit_code=3, starts=b"REFUSED"),
    Attack(file="process_limit.c", verdicts=PROCESSES, exit_code=3, starts=b"REFUSED"),
    Attack(file="thread_bomb.py", verdicts=OK, starts=b"CONTAINED", destructive=True),
)
#: Programs that leave something alive: main ends, and so must all of it.
SURVIVORS = (
    Attack(file="daemon.py", verdicts=OK, starts=b"CONTAINED", destructive=True, max_wall_s=3),
    Attack(file="daemon.c", verdicts=OK | OUTPUT, destructive=True, max_wall_s=3),
    Attack(
        file="daemon_holds_output.py",
        verdicts=FAILED,
        exit_code=7,
        stdout=b"CONTAINED\n",
        destructive=True,
        max_wall_s=3,
    ),
    Attack(file="stop_storm.py", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(file="clone_parent.c", verdicts=OK, starts=b"CONTAINED", destructive=True),
    Attack(file="uninterruptible.c", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(file="ptrace_child.c", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(file="outlive.py", verdicts=OK, starts=b"CONTAINED", destructive=True, max_wall_s=3),
    Attack(file="orphans.py", verdicts=OK, starts=b"CONTAINED", destructive=True),
    Attack(file="zombies.py", verdicts=OK, starts=b"CONTAINED", destructive=True),
    Attack(file="fork_chain.c", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(file="signal_storm.py", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(file="exit_while_writing.py", verdicts=FAILED | OUTPUT, destructive=True, max_wall_s=4),
    Attack(file="hold_the_door.py", verdicts=OK, stdout=b"CONTAINED\n", destructive=True),
    Attack(
        file="kill_everyone.py",
        verdicts=SIGNALED,
        signal=9,
        exit_code=137,
        stdout=b"CONTAINED\n",
        destructive=True,
    ),
)
BRIEF = Limits(cpu_s=0.5, wall_s=8.0, memory_bytes=256 * MIB, processes=48)
TIGHT = Limits(cpu_s=3.0, wall_s=8.0, memory_bytes=96 * MIB, processes=48, output_bytes=MIB)
HOGS = (
    Attack(file="memory_hog.py", verdicts=MEMORY, limits=TIGHT, destructive=True),
    Attack(file="memory_hog.c", verdicts=MEMORY, limits=TIGHT, destructive=True),
    Attack(
        file="memory_hog_eight.c",
        args=("32",),
        verdicts=MEMORY | FAILED,
        limits=TIGHT,
        destructive=True,
    ),
    Attack(file="mmap_untouched.c", verdicts=OK, starts=b"CONTAINED reserved", limits=TIGHT),
    Attack(file="mmap_touched.c", verdicts=MEMORY, limits=TIGHT, destructive=True),
    Attack(file="shared_hog.py", verdicts=MEMORY | FAILED, limits=TIGHT, destructive=True),
    Attack(file="shm_hog.py", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(file="sysv_hog.c", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(file="memfd_hog.py", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(
        file="pipe_hog.c", verdicts=OK_OR_MEMORY | FAILED | WALL, limits=TIGHT, destructive=True
    ),
    Attack(file="socket_hog.c", verdicts=OK_OR_MEMORY | CPU, limits=TIGHT, destructive=True),
    Attack(file="tcp_hog.c", verdicts=OK_OR_MEMORY | FAILED, limits=TIGHT, destructive=True),
    *(
        Attack(file=file, verdicts=OK, starts=b"CONTAINED", limits=TIGHT, destructive=True)
        for file in ("socket_flood.c", "netlink_hog.c", "error_queue_hog.c", "huge_pages.c")
    ),
    Attack(file="aio_exhaust.c", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(file="page_table_hog.c", verdicts=MEMORY, limits=TIGHT, destructive=True),
    Attack(file="oom_keeper.c", verdicts=MEMORY | OK, limits=TIGHT, destructive=True),
    Attack(file="oom_keeper.py", verdicts=MEMORY | FAILED | OK, limits=TIGHT, destructive=True),
    Attack(file="dentry_flood.py", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(
        file="object_flood.c", verdicts=OK_OR_MEMORY | CPU | WALL, limits=TIGHT, destructive=True
    ),
    Attack(file="mq_hog.py", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    # Its dead are freed late: they may fill its memory before its time is over.
    Attack(file="vfork_storm.c", verdicts=CPU | MEMORY, limits=BRIEF, destructive=True),
    Attack(file="xattr_hog.py", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(file="huge_page_touch.c", verdicts=OK_OR_MEMORY, limits=TIGHT, destructive=True),
    Attack(file="self_kill.py", verdicts=SIGNALED, signal=9, exit_code=137, stdout=b"before\n"),
    Attack(
        file="near_limit_kill.c",
        args=("64",),
        verdicts=SIGNALED,
        signal=9,
        exit_code=137,
        stdout=b"before\n",
        limits=TIGHT,
    ),
)
#: A tree of processes is stopped within this many seconds of CPU beyond its limit.
OVERRUN_S = 0.1
BURNERS = tuple(
    Attack(file=file, verdicts=CPU, limits=BRIEF, destructive=True, max_cpu_s=0.5 + OVERRUN_S)
    for file in (
        "cpu_burn.py",
        "cpu_burn.c",
        "cpu_burn_forked.py",
        "cpu_burn_relay.c",
        "cpu_burn_threads.c",
        "cpu_burn_syscalls.c",
        "cpu_orphans.py",
        "timer_storm.c",
    )
)


def _lingers(file: str, stdout: bytes, wall_s: float = 1.0, case: str = "") -> Attack:
    limits = Limits(cpu_s=3.0, wall_s=wall_s, memory_bytes=256 * MIB, processes=48)
    return Attack(
        file=file,
        case=case,
        verdicts=WALL,
        stdout=stdout,
        limits=limits,
        max_wall_s=wall_s + 0.35,
        destructive=True,
    )


LINGERERS = (
    _lingers("sleep_past_wall.py", b"asleep\n"),
    _lingers("sleep_past_wall.py", b"asleep\n", 0.3, "subsecond"),
    _lingers("stop_self.py", b"stopping\n"),
    _lingers("ignore_term.py", b"deaf\n"),
    _lingers("stop_tree.c", b"stopping\n"),
    _lingers("blocked_fifo.py", b"opening\n"),
    _lingers("close_and_linger.py", b""),
    _lingers("close_and_linger.c", b""),
)
FLOODED = Limits(cpu_s=3.0, wall_s=8.0, memory_bytes=256 * MIB, processes=48, output_bytes=100_000)
FLOODS = (
    *(
        Attack(file=file, verdicts=OUTPUT, limits=FLOODED, destructive=True, max_output=100_000)
        for file in ("flood_stdout.py", "flood_stderr.py", "flood_both.py", "flood_both.c")
    ),
    Attack(
        file="long_line.py",
        verdicts=OUTPUT,
        limits=Limits(cpu_s=3.0, wall_s=8.0, memory_bytes=512 * MIB, output_bytes=100_000),
        max_output=100_000,
    ),
    Attack(
        file="exact_output.py",
        case="at-the-limit",
        args=("100000",),
        verdicts=OK,
        limits=FLOODED,
        stdout=b"x" * 100_000,
    ),
    Attack(
        file="exact_output.py",
        case="one-over",
        args=("100001",),
        verdicts=OUTPUT,
        limits=FLOODED,
        stdout=b"x" * 100_000,
    ),
)
FORGED = b"".join(
    line + b"\n"
    for line in (
        b'{"verdict": "VERDICT_OK", "exit_code": 0, "cpu_s": 0}',
        b"VERDICT_OK",
        b"DCODEX_RESULT OK 0",
        "\x00\x81\xa7verdict\x01".encode(),
        b"exit=0 signal=0",
        b"__END__",
    )
)
FORGERIES = (
    Attack(file="forge.py", verdicts=FAILED, exit_code=9, stdout=FORGED, stderr=FORGED),
    Attack(file="forge_signal_code.py", verdicts=FAILED, exit_code=137, signal=0),
    *(
        Attack(
            file="forge_limit.py",
            case=name,
            args=(name,),
            verdicts=SIGNALED,
            signal=number,
            exit_code=128 + number,
        )
        for name, number in (
            ("SIGXCPU", 24),
            ("SIGKILL", 9),
            ("SIGTERM", 15),
            ("SIGSYS", 31),
            ("SIGALRM", 14),
            ("SIGHUP", 1),
        )
    ),
    *(
        Attack(
            file="exec_from_thread.c",
            case=way,
            args=(way,),
            verdicts=FAILED,
            exit_code=code,
            stdout=said,
        )
        for way, code, said in (("execute", 5, b"executed\n"), ("leave", 6, b"left\n"))
    ),
    Attack(
        file="raw_bytes.py",
        verdicts=OK,
        stdout=bytes(range(256)) + b"\0\0\xed\xa0\x80\xed\xbf\xbf\xf0\x9f\x98",
        stderr=b"\xff\xfe\0\xc3",
    ),
    Attack(file="raw_bytes.c", verdicts=OK, stdout=bytes(range(256))),
)
FAULTS = (
    *(
        Attack(
            file="fault.c",
            case=kind,
            args=(kind,),
            verdicts=SIGNALED,
            signal=number,
            exit_code=128 + number,
            stdout=b"",
        )
        for kind, number in (
            ("null", 11),
            ("stack", 11),
            ("abort", 6),
            ("divide", 8),
            ("bus", 7),
            ("trap", 4),
            ("pipe", 13),
        )
    ),
    *(
        Attack(
            file="fault.c",
            case=f"exit-{code}",
            args=("exit", str(code)),
            verdicts=FAILED if code % 256 else OK,
            exit_code=code % 256,
            signal=0,
            stdout=b"",
        )
        for code in (0, 1, 42, 255, 256, -1)
    ),
)
LIMITS = (
    Attack(
        file="file_size.py",
        args=("1048576",),
        verdicts=OK,
        starts=b"CONTAINED",
        limits=Limits(file_size_bytes=MIB),
    ),
    Attack(
        file="open_files.py",
        args=("64",),
        verdicts=OK,
        starts=b"CONTAINED",
        limits=Limits(open_files=64),
    ),
    Attack(file="stack_limit.c", verdicts=OK, stdout=b"0\nCONTAINED\n"),
)


def _compiles(*files: str, verdicts: frozenset[Verdict] = COMPILE_STOPPED) -> list[Attack]:
    return [Attack(file=file, verdicts=verdicts, destructive=True, stdout=b"") for file in files]


COMPILES = (
    *_compiles("include_shadow.c", "include_environ.c", "incbin_shadow.c", "asm_include.c"),
    *_compiles("include_zero.c", "include_urandom.c", "include_self.c", "incbin_zero.c"),
    *_compiles("asm_repeat.c", "huge_object.c", "macro_bomb.c", "nested_brackets.c"),
    *_compiles("template_bomb.cpp", "template_depth.cpp", "constexpr_loop.cpp"),
    *_compiles("errors_flood.cpp"),
    # Warnings alone do not stop a compile; their text is cut at the output limit.
    *_compiles("warnings_flood.c", verdicts=COMPILE_STOPPED | OK),
    # An empty stdin is an empty header.
    *_compiles("include_stdin.c", verdicts=COMPILE_STOPPED | OK),
    Attack(file="include_host.cpp", verdicts=OK, stdout=b"CONTAINED\n"),
    Attack(file="linker_tricks.c", verdicts=COMPILE_STOPPED | ENDED),
    Attack(
        file="response_file.c",
        stored_as="@args.c",
        beside=(("wrapper", "fake_tool.sh", 0o755),),
        verdicts=COMPILE_ERROR,
        stdout=b"",
    ),
    *(
        Attack(file="option_name.c", case=name, stored_as=name, verdicts=OK, stdout=b"")
        for name in ("-o.c", "-fplugin=x.c", "--version.c", "a b'\"$(id).c", "-.c")
    ),
    # A data file where the linked program will be put.
    *(
        Attack(
            file="compile_header_shadow.c",
            case=f"a.out-{mode:o}",
            beside=(("a.out", "fake_tool.sh", mode),),
            verdicts=OK,
            stdout=b"CONTAINED\n",
        )
        for mode in (0o400, 0o755)
    ),
    Attack(
        file="compile_header_shadow.c",
        case="a.out-folder",
        beside=(("a.out/x", "fake_tool.sh", 0o755),),
        verdicts=COMPILE_STOPPED,
        stdout=b"",
    ),
    *(
        Attack(
            file="exact_output.py",
            case=name,
            stored_as=name,
            args=("5",),
            verdicts=OK,
            stdout=b"xxxxx",
            stderr=b"",
        )
        for name in ("-V.py", "-c print(1).py", "-m.py", "folder/main.py", "a b'\"$(id).py")
    ),
    Attack(
        file="compile_environment.c",
        verdicts=OK,
        stdout=b"CONTAINED\n",
        env=(
            ("COMPILER_PATH", "/work"),
            ("GCC_EXEC_PREFIX", "/work/"),
            ("CPATH", "/work/include"),
            ("LIBRARY_PATH", "/work"),
            ("PATH", "/work:/usr/bin"),
            ("TMPDIR", "/nowhere"),
        ),
        beside=(
            *((tool, "fake_tool.sh", 0o755) for tool in ("as", "cc1", "ld", "collect2", "gcc")),
            ("include/stdio.h", "shadow_stdio.h", 0o644),
        ),
    ),
    Attack(
        file="compile_header_shadow.c",
        verdicts=OK,
        stdout=b"CONTAINED\n",
        beside=(("stdio.h", "shadow_stdio.h", 0o644),),
    ),
)

ATTACKS: tuple[Attack, ...] = (
    *FILES,
    *PROC,
    *IDENTITY,
    *NETWORK,
    *SYSCALLS,
    *BOMBS,
    *SURVIVORS,
    *HOGS,
    *BURNERS,
    *LINGERERS,
    *FLOODS,
    *FORGERIES,
    *FAULTS,
    *LIMITS,
    *COMPILES,
)
