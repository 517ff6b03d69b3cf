# Speaks to whoever sits at the supervisor's terminal.
import os
from probe import Probe
p = Probe()
p.attempt("terminal", lambda: os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
p.finish()
