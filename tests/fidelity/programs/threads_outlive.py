import threading, time
def late():
    time.sleep(0.1)
    print("late thread")
threading.Thread(target=late).start()
print("main ends")
