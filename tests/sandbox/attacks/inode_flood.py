# Makes empty files and long names until it is refused; kernel memory must be accounted too.
import os
from probe import require_walls
require_walls()
os.chdir("/work"); n = 0
try:
    while n < 3_000_000:
        os.close(os.open(f"{n}" + "n" * 200, os.O_CREAT | os.O_WRONLY))
        n += 1
except OSError as error:
    print("CONTAINED", error.errno, n)
else:
    print("LEAK:no-bound")
