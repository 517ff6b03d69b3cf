"""Which system calls a program may make, as data: groups with a reason, and rules on arguments.

What is in no group is answered with EPERM if it has long existed, so that a program sees a
refusal, and with ENOSYS if it is newer than this table, so that a libc falls back.
"""

from __future__ import annotations

import errno

#: The numbers below are those of this machine (os.uname().machine).
MACHINE = "x86_64"

#: Group name, reason, {name: number}.
ALLOWED: tuple[tuple[str, str, dict[str, int]], ...] = (
    (
        "files",
        "What any program does with files it may reach; the mount tree decides which those are.",
        {
            "read": 0,
            "write": 1,
            "open": 2,
            "close": 3,
            "stat": 4,
            "fstat": 5,
            "lstat": 6,
            "poll": 7,
            "lseek": 8,
            "pread64": 17,
            "pwrite64": 18,
            "readv": 19,
            "writev": 20,
            "access": 21,
            "pipe": 22,
            "select": 23,
            "dup": 32,
            "dup2": 33,
            "sendfile": 40,
            "fcntl": 72,
            "flock": 73,
            "fsync": 74,
            "fdatasync": 75,
            "truncate": 76,
            "ftruncate": 77,
            "getdents": 78,
            "getcwd": 79,
            "chdir": 80,
            "fchdir": 81,
            "rename": 82,
            "mkdir": 83,
            "rmdir": 84,
            "creat": 85,
            "link": 86,
            "unlink": 87,
            "symlink": 88,
            "readlink": 89,
            "chmod": 90,
            "fchmod": 91,
            "chown": 92,
            "fchown": 93,
            "lchown": 94,
            "umask": 95,
            "utime": 132,
            "mknod": 133,
            "statfs": 137,
            "fstatfs": 138,
            "readahead": 187,
            "setxattr": 188,
            "lsetxattr": 189,
            "fsetxattr": 190,
            "getxattr": 191,
            "lgetxattr": 192,
            "fgetxattr": 193,
            "listxattr": 194,
            "llistxattr": 195,
            "flistxattr": 196,
            "removexattr": 197,
            "lremovexattr": 198,
            "fremovexattr": 199,
            "getdents64": 217,
            "fadvise64": 221,
            "utimes": 235,
            "inotify_init": 253,
            "inotify_add_watch": 254,
            "inotify_rm_watch": 255,
            "openat": 257,
            "mkdirat": 258,
            "mknodat": 259,
            "fchownat": 260,
            "futimesat": 261,
            "newfstatat": 262,
            "unlinkat": 263,
            "renameat": 264,
            "linkat": 265,
            "symlinkat": 266,
            "readlinkat": 267,
            "fchmodat": 268,
            "faccessat": 269,
            "splice": 275,
            "tee": 276,
            "sync_file_range": 277,
            "vmsplice": 278,
            "utimensat": 280,
            "fallocate": 285,
            "dup3": 292,
            "pipe2": 293,
            "inotify_init1": 294,
            "preadv": 295,
            "pwritev": 296,
            "name_to_handle_at": 303,
            "syncfs": 306,
            "renameat2": 316,
            "memfd_create": 319,
            "copy_file_range": 326,
            "preadv2": 327,
            "pwritev2": 328,
            "statx": 332,
            "close_range": 436,
            "openat2": 437,
            "faccessat2": 439,
            "cachestat": 451,
            "fchmodat2": 452,
        },
    ),
    (
        "memory",
        "Its own address space.",
        {
            "mmap": 9,
            "mprotect": 10,
            "munmap": 11,
            "brk": 12,
            "mremap": 25,
            "msync": 26,
            "mincore": 27,
            "madvise": 28,
            "mlock": 149,
            "munlock": 150,
            "mlockall": 151,
            "munlockall": 152,
            "remap_file_pages": 216,
            "mbind": 237,
            "set_mempolicy": 238,
            "get_mempolicy": 239,
            "move_pages": 279,
            "membarrier": 324,
            "mlock2": 325,
            "pkey_mprotect": 329,
            "pkey_alloc": 330,
            "pkey_free": 331,
            "process_madvise": 440,
            "process_mrelease": 448,
            "map_shadow_stack": 453,
            "mseal": 462,
        },
    ),
    (
        "processes",
        "Starting, waiting for and ending its own processes; clone is filtered by flags below.",
        {
            "sched_yield": 24,
            "getpid": 39,
            "fork": 57,
            "vfork": 58,
            "execve": 59,
            "exit": 60,
            "wait4": 61,
            "kill": 62,
            "setpgid": 109,
            "getppid": 110,
            "getpgrp": 111,
            "setsid": 112,
            "getpgid": 121,
            "getsid": 124,
            "arch_prctl": 158,
            "gettid": 186,
            "tkill": 200,
            "futex": 202,
            "set_tid_address": 218,
            "restart_syscall": 219,
            "exit_group": 231,
            "tgkill": 234,
            "waitid": 247,
            "set_robust_list": 273,
            "get_robust_list": 274,
            "getcpu": 309,
            "kcmp": 312,
            "execveat": 322,
            "rseq": 334,
            "pidfd_send_signal": 424,
            "pidfd_open": 434,
            "futex_waitv": 449,
            "futex_wake": 454,
            "futex_wait": 455,
            "futex_requeue": 456,
        },
    ),
    (
        "signals",
        "Handling signals.",
        {
            "rt_sigaction": 13,
            "rt_sigprocmask": 14,
            "rt_sigreturn": 15,
            "pause": 34,
            "rt_sigpending": 127,
            "rt_sigtimedwait": 128,
            "rt_sigqueueinfo": 129,
            "rt_sigsuspend": 130,
            "sigaltstack": 131,
            "signalfd": 282,
            "signalfd4": 289,
            "rt_tgsigqueueinfo": 297,
        },
    ),
    (
        "identity",
        "Asking who it is; changing it has no effect on a process without capabilities.",
        {
            "getuid": 102,
            "getgid": 104,
            "setuid": 105,
            "setgid": 106,
            "geteuid": 107,
            "getegid": 108,
            "setreuid": 113,
            "setregid": 114,
            "getgroups": 115,
            "setgroups": 116,
            "setresuid": 117,
            "getresuid": 118,
            "setresgid": 119,
            "getresgid": 120,
            "setfsuid": 122,
            "setfsgid": 123,
            "capget": 125,
            "capset": 126,
            "prctl": 157,
        },
    ),
    (
        "limits and scheduling",
        "Asking for its limits and lowering them; the kernel refuses to raise them.",
        {
            "uname": 63,
            "getrlimit": 97,
            "getrusage": 98,
            "sysinfo": 99,
            "times": 100,
            "personality": 135,
            "getpriority": 140,
            "setpriority": 141,
            "sched_setparam": 142,
            "sched_getparam": 143,
            "sched_setscheduler": 144,
            "sched_getscheduler": 145,
            "sched_get_priority_max": 146,
            "sched_get_priority_min": 147,
            "sched_rr_get_interval": 148,
            "setrlimit": 160,
            "sched_setaffinity": 203,
            "sched_getaffinity": 204,
            "ioprio_set": 251,
            "ioprio_get": 252,
            "prlimit64": 302,
            "sched_setattr": 314,
            "sched_getattr": 315,
        },
    ),
    (
        "time",
        "Clocks, sleeps and timers; no clock can be set without a capability.",
        {
            "nanosleep": 35,
            "getitimer": 36,
            "alarm": 37,
            "setitimer": 38,
            "gettimeofday": 96,
            "time": 201,
            "timer_create": 222,
            "timer_settime": 223,
            "timer_gettime": 224,
            "timer_getoverrun": 225,
            "timer_delete": 226,
            "clock_gettime": 228,
            "clock_getres": 229,
            "clock_nanosleep": 230,
            "timerfd_create": 283,
            "timerfd_settime": 286,
            "timerfd_gettime": 287,
        },
    ),
    (
        "events",
        "Waiting for many things at once.",
        {
            "epoll_create": 213,
            "epoll_wait": 232,
            "epoll_ctl": 233,
            "pselect6": 270,
            "ppoll": 271,
            "epoll_pwait": 281,
            "eventfd": 284,
            "eventfd2": 290,
            "epoll_create1": 291,
            "epoll_pwait2": 441,
        },
    ),
    (
        "sockets",
        "Its own loopback and local sockets; the families are filtered below.",
        {
            "connect": 42,
            "accept": 43,
            "sendto": 44,
            "recvfrom": 45,
            "sendmsg": 46,
            "recvmsg": 47,
            "shutdown": 48,
            "bind": 49,
            "listen": 50,
            "getsockname": 51,
            "getpeername": 52,
            "setsockopt": 54,
            "getsockopt": 55,
            "accept4": 288,
            "recvmmsg": 299,
            "sendmmsg": 307,
        },
    ),
    (
        "System V and POSIX IPC",
        "Shared memory, semaphores and queues of its own IPC namespace.",
        {
            "shmget": 29,
            "shmat": 30,
            "shmctl": 31,
            "semget": 64,
            "semop": 65,
            "semctl": 66,
            "shmdt": 67,
            "msgget": 68,
            "msgsnd": 69,
            "msgrcv": 70,
            "msgctl": 71,
            "semtimedop": 220,
            "mq_open": 240,
            "mq_unlink": 241,
            "mq_timedsend": 242,
            "mq_timedreceive": 243,
            "mq_notify": 244,
            "mq_getsetattr": 245,
        },
    ),
    (
        "randomness",
        "Random bytes.",
        {
            "getrandom": 318,
        },
    ),
    (
        "second locks",
        "A program may confine itself further, though not by filters of its own (below).",
        {
            "seccomp": 317,
            "landlock_create_ruleset": 444,
            "landlock_add_rule": 445,
            "landlock_restrict_self": 446,
        },
    ),
)

#: The newest number that this table has judged (Linux 6.10): an unknown one above it is ENOSYS.
LAST_KNOWN = 462

#: Namespaces are the keeper's business: a clone with one of these flags is refused. CLONE_NEWTIME
#: (0x80) shares a bit with the exit signal's byte of clone(2), where it cannot be meant.
#: CLONE_PARENT (0x8000) would make children of the keeper, who waits for none but its own: they
#: would stay, and keep the namespace's init from ending.
CLONE = 56
CLONE_FORBIDDEN_FLAGS = 0x7E028000
#: clone3's flags are in memory that a filter cannot read; libc falls back to clone on ENOSYS.
CLONE3 = 435

SOCKET = 41
SOCKETPAIR = 53
AF_UNIX = 1
#: AF_INET, AF_INET6: the default protocol, TCP and UDP.
INTERNET_FAMILIES = (2, 10)
INTERNET_PROTOCOLS = (0, 6, 17)
#: AF_NETLINK only with NETLINK_ROUTE: getifaddrs needs it.
AF_NETLINK = 16
NETLINK_ROUTE = 0

#: sync(2) writes out every file system of the machine. Nothing that a program writes is on a
#: disk: it is told that all is done.
SYNC = 162

SETSOCKOPT = 54
#: SO_ATTACH_FILTER, SO_ATTACH_BPF and the two of SO_REUSEPORT: the kernel compiles them into
#: memory that is one for the whole machine, and counts it to nobody. Without any left no sandbox
#: gets its filter.
_ATTACH = (26, 50, 51, 52)
#: The same holds for filters that a program puts on itself: seccomp(2) and prctl(2) answer as a
#: kernel that has none.
SECCOMP = 317
PRCTL = 157
#: POSIX_FADV_DONTNEED drops what others have read of a shared file from memory. It is advice.
FADVISE64 = 221
#: MADV_MERGEABLE has the kernel search for equal pages, whosesoever, at its own expense; how long
#: a write then takes tells of the other's memory.
MADVISE = 28

#: Huge pages, where the machine keeps some, count to no group's memory: MAP_HUGETLB, MFD_HUGETLB,
#: SHM_HUGETLB. A machine has none for everybody.
MMAP = 9
SHMGET = 29
MEMFD_CREATE = 319

#: A condition on half an argument: which half (argument 0's lower one is 0, its upper one 1), how
#: it is compared, and with what: IS equal, or HAS any of these bits.
Condition = tuple[int, str, int]
IS = "is"
HAS = "has"

#: (system call, conditions, errno; 0: as if it was done).
REFUSED_ARGUMENTS: tuple[tuple[int, tuple[Condition, ...], int], ...] = (
    (SYNC, (), 0),
    *((SETSOCKOPT, ((2, IS, 1), (4, IS, option)), errno.EPERM) for option in _ATTACH),
    (SECCOMP, ((0, IS, 1),), errno.EINVAL),
    (PRCTL, ((0, IS, 22), (2, IS, 2)), errno.EINVAL),
    # PR_SCHED_CORE: who does not share its core with strangers keeps half a core idle.
    (PRCTL, ((0, IS, 62),), errno.EINVAL),
    (FADVISE64, ((6, IS, 4),), 0),
    (MADVISE, ((4, IS, 12),), errno.EINVAL),
    (MMAP, ((6, HAS, 0x40000),), errno.ENOMEM),
    (SHMGET, ((4, HAS, 0o4000),), errno.ENOMEM),
    (MEMFD_CREATE, ((2, HAS, 4),), errno.EINVAL),
)

#: Calls that the keeper is asked about. Sockets of families whose memory no group is charged for,
#: and SO_RCVBUF: sockets.py.
WATCHED_FAMILIES = (*INTERNET_FAMILIES, AF_NETLINK)
#: All calls with RLIMIT_CORE: core_dumps.py.
GETRLIMIT = 97
SETRLIMIT = 160
PRLIMIT64 = 302
#: (system call, conditions, answer where there is no keeper to ask: None is to allow it).
WATCHED_ARGUMENTS: tuple[tuple[int, tuple[Condition, ...], int | None], ...] = (
    (SETSOCKOPT, ((2, IS, 1), (4, IS, 8)), None),
    (GETRLIMIT, ((0, IS, 4),), None),
    (SETRLIMIT, ((0, IS, 4),), errno.EPERM),
    (PRLIMIT64, ((2, IS, 4), (4, IS, 0), (5, IS, 0)), None),
    (PRLIMIT64, ((2, IS, 4),), errno.EPERM),
)

IOCTL = 16
#: Keystrokes into another's terminal, and the console's selection paste.
IOCTL_FORBIDDEN = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
