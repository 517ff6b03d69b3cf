# Looks in its own memory and modules for what the template and the supervisor left there.
import gc, os, sys, threading
from probe import Probe
p = Probe()
words = [w.encode() for w in sys.argv[1:]]
p.holds("none of our modules", not [m for m in sys.modules if m.startswith("dcodex") or m in ("zmq", "grpc", "msgpack", "google.protobuf")], ",".join(m for m in sys.modules if "dcodex" in m)[:80])
p.holds("one thread", threading.active_count() == 1)
frame, frames = sys._getframe(), []
while frame:
    frames.append(frame.f_code.co_filename)
    frame = frame.f_back
p.holds("one frame", len(frames) == 1, ",".join(frames))
p.holds("none of our paths", not any("dcodex" in x for x in sys.path), str(sys.path))
own = sum(1 for o in gc.get_objects() if type(o).__module__.startswith("dcodex"))
p.holds("none of our objects", own == 0, str(own))
held = [v for v in os.environ.values() for w in words if w.decode() in v]
p.holds("none of the host's words", not held)
p.finish()
