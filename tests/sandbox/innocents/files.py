import tempfile, os, shutil, pathlib, mmap, fcntl, glob, zipfile, tarfile, gzip, filecmp, stat
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d); (p / "a").write_text("x" * 1000); shutil.copy(p / "a", p / "b"); os.link(p / "a", p / "c"); os.symlink("a", p / "d")
    assert filecmp.cmp(p / "a", p / "d"); os.rename(p / "b", p / "e"); assert sorted(x.name for x in p.iterdir()) == ["a", "c", "d", "e"]
    with zipfile.ZipFile(p / "z.zip", "w") as z: z.write(p / "a", "a")
    with tarfile.open(p / "t.tgz", "w:gz") as t: t.add(p / "a", "a")
    os.chmod(p / "a", 0o600); assert stat.S_IMODE((p / "a").stat().st_mode) == 0o600
    os.utime(p / "a", (1, 2)); assert (p / "a").stat().st_mtime == 2
    os.mkfifo(p / "f"); assert stat.S_ISFIFO((p / "f").stat().st_mode)
    os.truncate(p / "a", 10)
with tempfile.NamedTemporaryFile() as f: f.write(b"x" * 4096); f.flush(); m = mmap.mmap(f.fileno(), 4096); m[0:1] = b"y"; m.flush(); m.close()
with tempfile.TemporaryFile() as f: fcntl.flock(f, fcntl.LOCK_EX); fcntl.lockf(f, fcntl.LOCK_EX)
with tempfile.SpooledTemporaryFile(10) as f: f.write(b"x" * 100)
assert tempfile.gettempdir() == "/tmp"
open("beside.txt", "w").write("x"); assert os.path.exists("/work/beside.txt") and os.getcwd() == "/work"
os.makedirs("a/b/c"); shutil.rmtree("a"); assert shutil.disk_usage("/work").free > 0
fd = os.memfd_create("x"); os.write(fd, b"1"); os.sendfile
r, w = os.pipe(); os.write(w, b"x"); assert os.read(r, 1) == b"x"
assert os.path.expanduser("~"); os.listdir(os.path.expanduser("~"))
fd = os.open("/tmp", os.O_TMPFILE | os.O_RDWR); os.close(fd)
print("fine")
