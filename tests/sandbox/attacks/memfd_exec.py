# Runs code from memory: allowed, and as contained as all else.
import os, subprocess, sys
from probe import Probe
p = Probe()
fd = os.memfd_create("x", 0)
os.write(fd, b"#!/bin/sh\ngrep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status\n")
try:
    out = subprocess.run([f"/proc/self/fd/{fd}"], pass_fds=(fd,), capture_output=True, text=True).stdout
    rows = dict(line.split(":\t") for line in out.splitlines())
    p.holds("filter kept", rows.get("Seccomp") == "2", str(rows))
    p.holds("no_new_privs kept", rows.get("NoNewPrivs") == "1")
    p.holds("no capability", int(rows.get("CapEff", "0"), 16) == 0)
except OSError as error:
    p.outcomes.append(f"exec={error.errno}")
p.finish()
