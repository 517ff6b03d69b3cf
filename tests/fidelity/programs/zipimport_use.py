import zipfile, sys
with zipfile.ZipFile("z.zip", "w") as z: z.writestr("inzip.py", "def f():\n    raise ValueError('zipped')\n")
sys.path.insert(0, "z.zip")
import inzip
inzip.f()
