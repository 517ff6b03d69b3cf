while True:
    try:
        line = input("> ")
    except EOFError:
        print("eof")
        break
    print("got", repr(line))
