# Leaves a FIFO, a socket, a directory and odd modes where outputs are expected.
import os, socket
os.chdir("/work")
for name in ("output", "a.out", "result.txt"):
    os.mkfifo(name)
s = socket.socket(socket.AF_UNIX); s.bind("output.sock")
os.mkdir("output.d", 0); os.mkdir("stdout"); os.mkfifo("stderr"); os.mkfifo("compiler_output")
devices = 0
for name, kind, device in (("zero", 0o020666, os.makedev(1, 5)), ("disk", 0o060666, os.makedev(254, 0))):
    try:
        os.mknod(name, kind, device)
        devices += 1
    except OSError:
        pass
print("LEAK:device-nodes" if devices else "CONTAINED")
