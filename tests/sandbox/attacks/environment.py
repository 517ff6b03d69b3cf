# Every variable it was given is one that the sandbox promises.
import os, sys
from probe import Probe
p = Probe()
promised = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PWD", "SHELL", "TERM", "TZ", "HOSTNAME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MPLBACKEND", "MPLCONFIGDIR", "PYTHONIOENCODING", "PYTHONUTF8", "ASKED"}
extra = sorted(set(os.environ) - promised)
p.holds("only promised variables", not extra, ",".join(extra))
p.holds("the asked one is there", os.environ.get("ASKED") == "for")
data = open("/proc/self/environ", "rb").read()
for word in sys.argv[1:]:
    p.holds("no word of the host", word.encode() not in data)
for name in ("DCODEX", "SSH_", "VIRTUAL_ENV", "PYENV", "INVOCATION_ID", "JOURNAL", "NOTIFY_SOCKET", "SUDO", "XDG_", "AWS", "TOKEN", "PYTHONPATH", "LD_"):
    p.holds(f"no {name} in the initial block", not any(v.startswith(name.encode()) for v in data.split(b"\0")))
p.finish()
