import atexit, sys
sys.stderr.reconfigure(write_through=False, line_buffering=False)
atexit.register(sys.stderr.write, "kept back")
