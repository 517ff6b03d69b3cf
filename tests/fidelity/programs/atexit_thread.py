import atexit, threading
def late():
    t = threading.Thread(target=print, args=("thread from atexit",))
    try:
        t.start()
        t.join()
    except RuntimeError as e:
        print("refused:", e)
atexit.register(late)
