import importlib, pkgutil, sys, warnings
warnings.simplefilter("ignore")
failed = []
for name in sorted(sys.stdlib_module_names):
    if name.startswith("_") or name in ("antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter", "msilib", "msvcrt", "winreg", "winsound", "nt", "ensurepip", "lib2to3", "venv", "distutils"): continue
    try: importlib.import_module(name)
    except ImportError as e: failed.append((name, str(e)))
allowed = {"_winapi", "ossaudiodev", "nis", "spwd"}
bad = [f for f in failed if f[0] not in allowed and "No module named" not in f[1]]
assert not bad, bad
import ssl, ctypes, zoneinfo, datetime, decimal, hashlib, bz2, lzma, zlib, curses, readline
assert ssl.OPENSSL_VERSION and ssl.create_default_context()
assert ctypes.CDLL(None).getpid() == __import__("os").getpid()
cb = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda n: n + 1); assert cb(1) == 2
assert zoneinfo.ZoneInfo("UTC") and hashlib.scrypt(b"x", salt=b"y", n=16, r=1, p=1)
try: datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")).utcoffset()
except zoneinfo.ZoneInfoNotFoundError: raise
print("fine")
