# Writes where everybody may, in a directory of the host that sandboxes are shown. argv[1]: it.
import os, sys
from probe import Probe
p = Probe()
p.attempt("create", lambda: os.open(f"{sys.argv[1]}/planted", os.O_CREAT | os.O_WRONLY))
p.attempt("append", lambda: os.open(f"{sys.argv[1]}/open-to-all", os.O_WRONLY | os.O_APPEND))
p.finish()
