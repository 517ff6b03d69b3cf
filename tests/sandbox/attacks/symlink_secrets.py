# Replaces its outputs and its own source by links to secrets.
import os
os.chdir("/work")
for name, target in (("output", "/etc/shadow"), ("a.out", "/proc/self/mem"), ("stdout", "/proc/1/environ"), ("err", "/dev/zero")):
    os.symlink(target, name)
os.unlink("main.py"); os.symlink("/etc/shadow", "main.py")
try:
    print("LEAK:shadow" if open("output").read() else "CONTAINED empty")
except OSError as error:
    print("CONTAINED", error.errno)
