import getpass, io, sys
print(getpass.getpass("Password: ", stream=sys.stderr))
