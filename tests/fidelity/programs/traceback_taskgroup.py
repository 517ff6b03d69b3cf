import asyncio
async def bad(n):
    raise ValueError(n)
async def main():
    async with asyncio.TaskGroup() as g:
        g.create_task(bad(1))
asyncio.run(main())
