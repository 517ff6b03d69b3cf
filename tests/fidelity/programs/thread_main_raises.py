import threading, time
threading.Thread(target=lambda: (time.sleep(0.1), print("thread done"))).start()
raise ValueError("main failed")
