import logging, atexit
logging.basicConfig(format="%(levelname)s %(message)s", level=logging.DEBUG)
atexit.register(logging.info, "at exit")
logging.debug("main")
