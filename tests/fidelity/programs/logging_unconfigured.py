import logging
logging.getLogger("mine").warning("last resort")
logging.getLogger("mine").info("not shown")
print(logging.getLogger("mine").handlers)
