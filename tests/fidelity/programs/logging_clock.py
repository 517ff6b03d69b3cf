import logging
import time

record = logging.makeLogRecord({})
created = logging.LogRecord("name", logging.INFO, "path", 1, "message", (), None)
print(0 <= created.relativeCreated < 30_000, record.name)
time.sleep(0.05)
later = logging.LogRecord("name", logging.INFO, "path", 1, "message", (), None)
print(40 <= later.relativeCreated - created.relativeCreated < 30_000)
print(created.processName, created.threadName, created.process is not None)
