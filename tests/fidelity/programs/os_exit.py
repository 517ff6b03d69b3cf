import os, sys, atexit
atexit.register(print, "never")
sys.stdout.write("unbuffered, so written")
os._exit(6)
