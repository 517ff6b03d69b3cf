# Leaves 1000 nested directories, each with a file, for whoever cleans up.
import os
os.chdir("/work")
for depth in range(1000):
    os.mkdir("d" * 200)
    os.chdir("d" * 200)
    open("f", "w").close()
print("CONTAINED", depth)
