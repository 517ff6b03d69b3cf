"""Warm templates: interpreters that are already running and are forked, not started.

launcher.py starts one from the host, serve.py is what it runs, hook/ is how it gets in.
"""
