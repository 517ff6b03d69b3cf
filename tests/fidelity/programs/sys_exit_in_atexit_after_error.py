import atexit, os
atexit.register(lambda: os._exit(9))
raise ValueError("overridden")
