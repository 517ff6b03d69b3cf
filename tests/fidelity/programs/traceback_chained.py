class Oops(Exception):
    pass
def a():
    try:
        {}["missing"]
    except KeyError as error:
        raise Oops("chained") from error
def b():
    try:
        a()
    except Oops:
        raise ValueError("during handling")
b()
