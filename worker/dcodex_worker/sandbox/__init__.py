"""The sandbox: one file a kernel mechanism, and the two sides that use them.

Outside (the worker process): box.py, which owns one armed sandbox, and cgroup.py.
Inside (processes forked from a template, under the programs' interpreter): keeper.py, which
arms sandboxes, and the mechanisms it enters in order. The inside imports the standard library
and kernel.py alone.
"""
