"""What the Python attacks share: each try is an attempt that must fail, or a fact that must hold."""

import ctypes
import errno
import os
import signal
import sys

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

#: Errors that mean "refused"; any other outcome reached what it should not have reached.
REFUSED = (
    errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOSYS, errno.ENXIO,
    errno.ENODEV, errno.ENOTDIR, errno.ESRCH, errno.EXDEV, errno.ELOOP,
)


class Probe:
    """Collects outcomes; finish() prints CONTAINED or LEAK:names, then the outcomes."""

    def __init__(self):
        self.leaks = []
        self.outcomes = []

    def attempt(self, name, action, *args, also=()):
        """Calls action; it must raise OSError (of a kind that means refused, or in `also`)."""
        try:
            value = action(*args)
        except OSError as error:
            word = errno.errorcode.get(error.errno, str(error.errno))
            self.outcomes.append(f"{name}={word}")
            if error.errno not in REFUSED and error.errno not in also:
                self.leaks.append(f"{name}({word})")
        except (ValueError, OverflowError) as error:
            self.outcomes.append(f"{name}={type(error).__name__}")
        else:
            self.outcomes.append(f"{name}=done")
            self.leaks.append(name)
            return value
        return None

    def holds(self, name, condition, detail=""):
        """States a fact that is true inside a sound sandbox."""
        self.outcomes.append(f"{name}={'yes' if condition else 'no'} {detail}".rstrip())
        if not condition:
            self.leaks.append(f"{name}({detail})" if detail else name)

    def finish(self):
        print("LEAK:" + ",".join(self.leaks) if self.leaks else "CONTAINED")
        print("\n".join(self.outcomes))
        sys.stdout.flush()
        sys.exit(0)


def shares_memory(pid):
    """Whether this process's memory is ours: the holder's is, which waits for our end."""
    word = ctypes.c_uint64(int.from_bytes(os.urandom(8), "little"))
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
            memory.seek(ctypes.addressof(word))
            return memory.read(8) == bytes(word)
    except OSError:
        return False


def syscall(number, *args):
    """A raw system call; raises OSError."""
    ctypes.set_errno(0)
    value = _libc.syscall(
        ctypes.c_long(number),
        *[ctypes.c_long(a) if isinstance(a, int) else a for a in args],
    )
    if value == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return value


def in_child(action, *args):
    """Runs action in a forked child; returns its wait status (so that a killing filter is seen).

    The child exits with 0 when action succeeded, else with the errno.
    """
    pid = os.fork()
    if pid == 0:
        code = 0
        try:
            action(*args)
        except OSError as error:
            code = error.errno or 255
        except BaseException:
            code = 254
        os._exit(code)
    return os.waitpid(pid, 0)[1]


def syscall_in_child(probe, name, number, *args, refused=(errno.EPERM, errno.ENOSYS, errno.EACCES)):
    """The system call must be refused or kill its caller."""
    status = in_child(syscall, number, *args)
    if os.WIFSIGNALED(status):
        probe.outcomes.append(f"{name}=signal {os.WTERMSIG(status)}")
        return
    code = os.WEXITSTATUS(status)
    word = errno.errorcode.get(code, str(code)) if code else "done"
    probe.outcomes.append(f"{name}={word}")
    if code not in refused:
        probe.leaks.append(f"{name}({word})")


def contained_enough_to_destroy():
    """Whether the walls that make destruction harmless stand: own pid namespace, no host root.

    Destructive programs ask first, so that a sandbox with a hole costs a failed test and not
    the machine.
    """
    with open("/proc/self/uid_map") as file:
        rows = [line.split() for line in file]
    outer_root = any(int(row[1]) == 0 for row in rows)
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    kernel_threads = os.path.exists("/proc/2/comm") and "kthreadd" in open("/proc/2/comm").read()
    return not outer_root and not kernel_threads and len(pids) < 64


def require_walls():
    if not contained_enough_to_destroy():
        print("LEAK:walls-missing")
        sys.exit(0)


def set_name(name):
    """Names the process (15 bytes) so that the watcher on the host can look for it."""
    _libc.prctl(15, name.encode()[:15] + b"\0", 0, 0, 0)


def ignore_all_signals():
    for number in range(1, signal.NSIG):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
