# Leaves a link to a file of root's where a linked program is expected. argv[1]: the file.
import os, sys
os.symlink(sys.argv[1], "product")
