import os
print(os.getpgid(0) == os.getpid() or os.getpgid(0) >= 0, os.getpid() > 0)
