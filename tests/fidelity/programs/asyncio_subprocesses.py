import asyncio,sys
async def main():
    p=await asyncio.create_subprocess_exec(sys.executable,"-c","print(input()[::-1])",stdin=-1,stdout=-1)
    o,_=await p.communicate(b"hello\n"); print(o,p.returncode)
    p=await asyncio.create_subprocess_shell("echo a; echo b >&2; exit 3",stdout=-1,stderr=-1); print(await p.communicate(),p.returncode)
    async with asyncio.timeout(5): await asyncio.sleep(0.01)
    try:
        async with asyncio.timeout(0.01): await asyncio.sleep(5)
    except TimeoutError: print("timeout")
    s=asyncio.Semaphore(2)
    async def w(i):
        async with s: await asyncio.sleep(0.001); return i
    async with asyncio.TaskGroup() as g: ts=[g.create_task(w(i)) for i in range(5)]
    print([t.result() for t in ts]); print(await asyncio.to_thread(sum,[1,2]))
    loop=asyncio.get_running_loop(); print(type(loop).__name__)
    import socket
    print(await loop.getaddrinfo("localhost",80,type=socket.SOCK_STREAM))
asyncio.run(main())
