import subprocess, sys
print(sys.stdin.readline(), end="")
subprocess.run(["cat"])
