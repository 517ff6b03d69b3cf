# Leaves a folder's link on the way to where a linked program is expected. argv[1]: the folder.
import os, sys
os.symlink(sys.argv[1], "folder")
