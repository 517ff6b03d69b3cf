import os
pid = os.fork()
if pid == 0:
    raise ValueError("in the child")
print("status", os.waitpid(pid, 0)[1])
