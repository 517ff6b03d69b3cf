# What an administrator put into /usr/local is no part of the runtime.
import sys
print(sys.path[0], [p for p in sys.path[1:] if not p.startswith("/usr/local")], [p for p in sys.path if "dcodex" in p])
