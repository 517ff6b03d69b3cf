import os, sys
pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 4"], os.environ); assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 4
open("run.sh", "w").write("#!/bin/sh\necho from a script\n"); os.chmod("run.sh", 0o755)
assert os.spawnl(os.P_WAIT, "./run.sh", "run.sh") == 0
for tool in ("ls", "cat", "grep", "sed", "sort", "head", "wc", "env", "date", "true", "test", "expr", "tr", "cut", "find", "mkdir", "rm", "cp", "mv", "sleep"):
    assert any(os.access(f"{d}/{tool}", os.X_OK) for d in os.environ["PATH"].split(":")), tool
sys.stdout.flush(); os.execvp("echo", ["echo", "fine"])
