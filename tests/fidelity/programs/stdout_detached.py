import sys
sys.stdout.detach()
