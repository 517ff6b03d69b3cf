# Lowers its chance to be killed first. argv[1]: the lowest that the host's own rights can forbid
# (a supervisor without CAP_SYS_RESOURCE cannot hold a program above 0).
import os, sys
from probe import Probe
p = Probe()
score = int(open("/proc/self/oom_score_adj").read())
def write(value, name="oom_score_adj"):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(str(value))
for lower in (-1000, -999, -1, score - 1):
    if lower < min(score, int(sys.argv[1])):
        p.attempt(f"oom_score_adj {lower}", write, lower)
p.attempt("oom_adj", write, -17, "oom_adj")
p.finish()
