# Makes a folder its root, from which ".." would then lead out.
import os
from probe import Probe
p = Probe()
p.attempt("chroot", lambda: os.chroot("/work"))
p.finish()
