import asyncio
async def echo(r, w): w.write(await r.readline()); await w.drain(); w.close()
async def main():
    s = await asyncio.start_server(echo, "localhost", 0)
    port = s.sockets[0].getsockname()[1]
    async def one(n):
        r, w = await asyncio.open_connection("127.0.0.1", port); w.write(b"%d\n" % n); x = await r.readline(); w.close(); return int(x)
    assert sorted(await asyncio.gather(*map(one, range(20)))) == list(range(20))
    q = asyncio.Queue(3)
    async def put(): [await q.put(n) for n in range(10)]
    t = asyncio.create_task(put()); assert [await q.get() for _ in range(10)] == list(range(10)); await t
    assert await asyncio.to_thread(sum, [1, 2]) == 3
    loop = asyncio.get_running_loop(); assert await loop.run_in_executor(None, lambda: 5) == 5
    async with asyncio.timeout(1): await asyncio.sleep(0.001)
    try:
        async with asyncio.timeout(0.01): await asyncio.sleep(5)
    except TimeoutError: pass
    s.close()
asyncio.run(main()); print("fine")
