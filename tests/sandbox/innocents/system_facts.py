import os, platform, resource, getpass, pwd, grp, socket, time, sys, locale, select, signal, errno
assert os.cpu_count() >= 1 and len(os.sched_getaffinity(0)) >= 1
assert "processor" in open("/proc/cpuinfo").read() and "MemTotal" in open("/proc/meminfo").read()
assert os.readlink("/proc/self/exe").endswith(("python3", "python3.11", "python3.12", "python3.13")), os.readlink("/proc/self/exe")
assert os.readlink("/proc/self/cwd") == "/work" and int(os.readlink("/proc/self")) == os.getpid()
assert open("/proc/self/comm").read() and open("/proc/self/cmdline").read() and open("/proc/self/stat").read()
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0 and resource.getrlimit(resource.RLIMIT_STACK)[0] != 0
user = getpass.getuser(); entry = pwd.getpwuid(os.getuid()); assert user and entry.pw_name and grp.getgrgid(os.getgid()).gr_name
try: os.getlogin()
except OSError: pass
assert platform.system() == "Linux" and platform.machine() and platform.python_version() and platform.platform() and platform.libc_ver()
assert os.path.samefile("/dev/fd/0", "/dev/stdin") and open("/dev/null").read() == "" and open("/dev/zero", "rb").read(4) == bytes(4) and len(os.urandom(16)) == 16
with open("/dev/stdout", "w") as f: f.write("via /dev/stdout\n")
try: open("/dev/full", "w").write("x" * 100000)
except OSError as e: assert e.errno == errno.ENOSPC
assert time.time() > 1.6e9 and time.get_clock_info("monotonic") and os.times() and os.getloadavg()
assert os.uname().sysname == "Linux" and os.getpriority(os.PRIO_PROCESS, 0) is not None
locale.setlocale(locale.LC_ALL, ""); assert sys.getfilesystemencoding() == "utf-8"; assert locale.getpreferredencoding().upper() == "UTF-8"
assert os.getpgrp() and os.getsid(0) is not None; os.umask(0o22); os.nice(1)
open("/tmp/ünïcode-文件", "w").close(); assert "ünïcode-文件" in os.listdir("/tmp")
assert os.environ["HOME"] and os.environ["PATH"]
print("fine")
