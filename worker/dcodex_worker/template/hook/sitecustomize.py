"""The door into a template: `python3 -u main.py` with this folder on PYTHONPATH imports it
at the end of its start, and asks the function below, as it asks every path hook, whether main.py
is a folder or an archive: the last that it does before it opens main.py.

live() returns there only in a process that was forked for one program: the interpreter then goes
on as if nothing had happened, opens main.py, or the file that it is told of instead (entry.py), and
runs it without a frame, a module or a path entry of ours.
"""

import os
import sys


def _knock(path: str) -> None:
    sys.path_hooks.remove(_knock)  # type: ignore[arg-type] # returns no finder, ever
    natural = frozenset(sys.modules)
    try:
        from dcodex_worker.sandbox import kernel
        from dcodex_worker.template import heap

        with heap.gathered():
            from dcodex_worker.template import serve
        # A program is to spend nothing on taking this apart.
        kernel.keep_for_ever(_knock)
        keeper, finish = serve.run(natural)
        launch = keeper.live()
        if launch is not None:
            finish(launch)
    except BaseException:
        # An interpreter that goes on would run whatever main.py there is, with our rights.
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    raise ImportError


# After the others, which thus have all been asked, and said no, when this one is.
sys.path_hooks.append(_knock)  # type: ignore[arg-type] # likewise
