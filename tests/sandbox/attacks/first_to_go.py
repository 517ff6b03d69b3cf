# The kernel shall choose this process before any of the supervisor's.
from probe import Probe
p = Probe()
score = int(open("/proc/self/oom_score_adj").read())
p.holds("highest score", score == 1000, str(score))
p.finish()
