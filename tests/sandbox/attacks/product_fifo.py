# Leaves a FIFO where a linked program is expected.
import os
os.mkfifo("product")
