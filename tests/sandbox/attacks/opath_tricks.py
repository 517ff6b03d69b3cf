# Climbs out by descriptors: "..", O_PATH, /proc/self/root, fchdir and chroot, file handles.
import ctypes, os
from probe import Probe, in_child, syscall
p = Probe()
root = os.stat("/")
os.chdir("/")
for _ in range(50):
    os.chdir("..")
p.holds(".. ends at the root", (os.stat(".").st_dev, os.stat(".").st_ino) == (root.st_dev, root.st_ino))
for link in ("/proc/self/root", "/proc/1/root", "/proc/self/cwd", "/proc/1/cwd", "/proc/thread-self/root"):
    try:
        fd = os.open(link, os.O_PATH | os.O_DIRECTORY)
    except OSError as error:
        p.outcomes.append(f"{link}={error.errno}")
        continue
    up = os.open("../../../../../..", os.O_PATH | os.O_DIRECTORY, dir_fd=fd)
    p.holds(f"{link} leads to our root", (os.fstat(up).st_dev, os.fstat(up).st_ino) == (root.st_dev, root.st_ino))
def classic_chroot():
    os.makedirs("/work/jail", exist_ok=True)
    fd = os.open("/", os.O_RDONLY)
    os.chroot("/work/jail")
    os.fchdir(fd)
p.holds("chroot is refused", in_child(classic_chroot) != 0)
handle = ctypes.create_string_buffer(128 + 8)
ctypes.cast(handle, ctypes.POINTER(ctypes.c_uint))[0] = 128
mount_id = ctypes.c_int()
AT_FDCWD = -100
try:
    syscall(303, AT_FDCWD, ctypes.c_char_p(b"/usr"), handle, ctypes.byref(mount_id), 0)
    p.outcomes.append("name_to_handle_at=done")
except OSError as error:
    p.outcomes.append(f"name_to_handle_at={error.errno}")
p.attempt("open_by_handle_at", lambda: syscall(304, os.open("/", os.O_RDONLY), handle, os.O_RDONLY))
ours = os.open("/usr", os.O_PATH)
p.attempt("reopen O_PATH for writing", lambda: os.open(f"/proc/self/fd/{ours}", os.O_WRONLY), also=(21,))
file = os.open("/etc/passwd", os.O_RDONLY) if os.path.exists("/etc/passwd") else os.open("/usr/bin/env", os.O_RDONLY)
p.attempt("reopen read-only file for writing", lambda: os.open(f"/proc/self/fd/{file}", os.O_RDWR))
p.finish()
