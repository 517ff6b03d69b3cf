import threading, sys
def leave():
    sys.exit(5)
t = threading.Thread(target=leave)
t.start(); t.join()
print("main goes on")
