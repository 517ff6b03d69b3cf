import threading
class A:
    def __del__(self): print("del in", threading.current_thread().name)
def f():
    a = A()
t = threading.Thread(target=f, name="T"); t.start(); t.join()
