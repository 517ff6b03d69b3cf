import threading
print(threading.main_thread() is threading.current_thread(), threading.current_thread().name, threading.active_count(), [t.name for t in threading.enumerate()])
t = threading.Thread(target=lambda: print(threading.current_thread().name)); t.start(); t.join()
print(threading.get_ident() == threading.main_thread().ident, threading.main_thread().native_id == __import__("os").getpid())
