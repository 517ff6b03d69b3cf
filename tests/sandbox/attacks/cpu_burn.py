# Burns CPU in one process.
while True:
    pass
