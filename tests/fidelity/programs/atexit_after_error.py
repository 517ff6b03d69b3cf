import atexit
atexit.register(print, "still")
raise ValueError("main failed")
