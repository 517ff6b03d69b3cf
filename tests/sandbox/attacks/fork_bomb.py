# The fork bomb.
import os
from probe import require_walls, set_name
require_walls()
set_name("dcx-forkbomb")
while True:
    try:
        os.fork()
    except OSError:
        pass
