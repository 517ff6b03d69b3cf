"""The sandbox: one file a kernel mechanism, and the two sides that use them.

Outside (the worker process): box.py, which owns one armed sandbox, and cgroup.py.
Inside (processes forked from a template, under the programs' interpreter): keeper.py, which
arms sandboxes, and plan.py, which writes down the system calls of all mechanisms in their order,
for errand.py to make. The inside imports the standard library and its own files alone.
"""
