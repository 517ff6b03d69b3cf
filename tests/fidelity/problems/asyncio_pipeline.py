import asyncio
async def main():
    a, b, out = asyncio.Queue(2), asyncio.Queue(2), []
    async def src(): [await a.put(i) for i in range(10)]; await a.put(None)
    async def mid():
        while (x := await a.get()) is not None: await b.put(x * x)
        await b.put(None)
    async def dst():
        while (x := await b.get()) is not None: out.append(x)
    await asyncio.gather(src(), mid(), dst()); return out
o = asyncio.run(main()); assert o == [i * i for i in range(10)]; print(o)
