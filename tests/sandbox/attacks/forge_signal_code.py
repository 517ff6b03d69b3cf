# Exits with 137: an exit code, not a signal.
import os
os._exit(137)
