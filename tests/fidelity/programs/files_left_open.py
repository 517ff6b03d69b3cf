# What a process leaves on disk, seen by the one that started it.
import io, os, sys, zipfile
def child(leave):
    pid = os.fork()
    if pid:
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    else:
        leave()
    return pid
kept = []
def text():
    f = open("text", "w")
    f.write("text")
    kept.append(f)
def binary():
    raw = io.FileIO("binary", "w")
    buffered = io.BufferedWriter(raw)
    buffered.write(b"binary")
    kept.append(buffered)
def archive():
    z = zipfile.ZipFile("archive", "w")
    z.writestr("a", "b")
    kept.append(z)
if all(map(child, (text, binary, archive))):
    for name in ("text", "binary"):
        print(open(name).read())
    print(zipfile.ZipFile("archive").namelist())
