"""The door into a template: `python3 -u main.py` with this folder on PYTHONPATH imports it
at the end of its start, just before it would open main.py.

serve.run() returns here only in a process that was forked for one program: the interpreter
then goes on as if nothing had happened, opens main.py, and runs it without a frame, a module
or a path entry of ours.
"""

import os
import sys

natural = frozenset(sys.modules)

from dcodex_worker.template import serve  # noqa: E402 # after what was there without it

try:
    serve.run(natural)
except BaseException:
    # An interpreter that goes on from here would run whatever main.py there is, with our rights.
    sys.excepthook(*sys.exc_info())
    os._exit(1)
del natural, os, serve, sys
