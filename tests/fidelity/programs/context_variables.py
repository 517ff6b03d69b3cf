import contextvars,asyncio,dataclasses,typing,pathlib,enum,abc
v=contextvars.ContextVar("v",default=0)
async def t(i): v.set(i); await asyncio.sleep(0); return v.get()
async def m(): print(await asyncio.gather(*map(t,range(5))),v.get())
asyncio.run(m())
@dataclasses.dataclass(order=True,frozen=True)
class D: a:int; b:list=dataclasses.field(default_factory=list)
print(D(1),dataclasses.asdict(D(1)),dataclasses.replace(D(1),a=2)<D(3)); print(typing.get_type_hints(D))
try: D(1).a=3
except Exception as e: print(repr(e))
P=pathlib.Path("d/e"); P.mkdir(parents=True); (P/"f.txt").write_text("x"); print(sorted(pathlib.Path(".").rglob("*.txt")),P.resolve(),P.stat().st_mode)
