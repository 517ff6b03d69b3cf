class Pause:
    def __await__(self):
        yield
async def f():
    try:
        await Pause()
    finally:
        print("finally")
async def never():
    pass
c, n = f(), never()
c.send(None)
