# Raises every hard limit it has.
import resource
from probe import Probe
p = Probe()
for name in sorted(n for n in dir(resource) if n.startswith("RLIMIT_")):
    kind = getattr(resource, name)
    soft, hard = resource.getrlimit(kind)
    p.outcomes.append(f"{name}={soft},{hard}")
    if hard == resource.RLIM_INFINITY:
        continue
    p.attempt(f"raise {name}", resource.setrlimit, kind, (soft, hard + 1))
    p.attempt(f"unlimit {name}", resource.setrlimit, kind, (soft, resource.RLIM_INFINITY))
p.holds("no core dumps", resource.getrlimit(resource.RLIMIT_CORE)[1] == 0)
p.holds("descriptors bounded", 0 < resource.getrlimit(resource.RLIMIT_NOFILE)[1] <= 4096)
p.finish()
