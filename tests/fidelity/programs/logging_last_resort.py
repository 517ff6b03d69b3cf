import logging
logging.warning("to stderr")
logging.getLogger("x").error("error %s", 5)
try:
    1 / 0
except ZeroDivisionError:
    logging.exception("with trace")
print(logging.getLogger().handlers, logging.root.level)
