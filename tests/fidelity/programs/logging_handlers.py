import logging,logging.handlers,sys,queue
logging.basicConfig(level=logging.DEBUG,format="%(levelname)s:%(name)s:%(funcName)s:%(lineno)d:%(filename)s:%(message)s",stream=sys.stdout)
l=logging.getLogger("a.b")
def f():
    l.info("x %s",1)
    try: 1/0
    except ZeroDivisionError: l.exception("bad")
f()
q=queue.Queue(); h=logging.handlers.QueueHandler(q); l.addHandler(h); l.warning("w"); print(q.get().getMessage())
h=logging.handlers.RotatingFileHandler("r.log",maxBytes=100,backupCount=2); l.addHandler(h)
for i in range(20): l.error("e%d",i)
import os; print(sorted(n for n in os.listdir(".") if n.startswith("r.log")))
logging.getLogger().warning("root")
