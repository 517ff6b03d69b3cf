import tempfile,zipfile,tarfile,shutil,os,gzip,bz2,lzma,io
with tempfile.TemporaryDirectory() as d:
    p=os.path.join(d,"x.txt"); open(p,"w").write("hi"*1000)
    z=os.path.join(d,"a.zip")
    with zipfile.ZipFile(z,"w",zipfile.ZIP_DEFLATED) as f: f.write(p,"x.txt")
    print(zipfile.ZipFile(z).namelist(), len(zipfile.ZipFile(z).read("x.txt")))
    shutil.make_archive(os.path.join(d,"t"),"gztar",d,"x.txt"); print(tarfile.open(os.path.join(d,"t.tar.gz")).getnames())
with tempfile.NamedTemporaryFile() as f: f.write(b"x"); f.flush(); print(os.path.getsize(f.name), oct(os.stat(f.name).st_mode))
with tempfile.SpooledTemporaryFile(10) as f: f.write(b"x"*100); f.seek(0); print(len(f.read()))
for m in (gzip,bz2,lzma): print(m.decompress(m.compress(b"abc"*100))==b"abc"*100)
print(tempfile.gettempdir(), shutil.disk_usage("/tmp").total>0)
