# A hundred symlinks to one large file, a loop of links, and links that climb out.
import os
os.chdir("/work")
with open("large", "wb") as file:
    file.truncate(64 << 20)
for n in range(100):
    os.symlink("large", f"link{n}")
os.symlink("loop2", "loop1")
os.symlink("loop1", "loop2")
os.symlink("../../../../../../etc/shadow", "climb")
os.symlink("/", "root")
os.symlink("/proc/self/root", "procroot")
os.symlink("x" * 4000, "long")
print("CONTAINED", len(os.listdir(".")))
