import os
pid = os.fork()
if pid == 0:
    print("child")
    os._exit(3)
print("status", os.waitpid(pid, 0)[1])
