import asyncio
async def gen():
    try:
        yield 1
    finally:
        print("agen closed")
async def main():
    async for x in gen():
        break
asyncio.run(main())
