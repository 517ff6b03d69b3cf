class Bad(Exception):
    def __del__(self):
        print("del")
raise Bad
