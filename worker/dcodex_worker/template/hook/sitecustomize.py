"""The door into a template: `python3 -u main.py` with this folder on PYTHONPATH imports it
at the end of its start, just before it would open main.py.

serve.run() returns here only in a process that was forked for one program: the interpreter
then goes on as if nothing had happened, opens main.py, and runs it without a frame, a module
or a path entry of ours.
"""

from dcodex_worker.template import serve

serve.run()
del serve
