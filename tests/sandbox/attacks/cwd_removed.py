# Removes its own work directory's content and mounts of nothing, then makes trees without rights.
import os, shutil
for name in os.listdir("/work"):
    path = os.path.join("/work", name)
    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
os.makedirs("/work/a/b/c")
for folder in ("/work/a/b/c", "/work/a/b", "/work/a"):
    os.chmod(folder, 0)
os.chmod("/tmp/..", 0o755) if False else None
os.chmod("/work", 0o500)
print("CONTAINED")
