import tempfile, pathlib
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d)
    for i in range(3): (p / f"{i}.txt").write_text(str(i) * 3)
    assert sorted(x.name for x in p.glob("*.txt")) == ["0.txt", "1.txt", "2.txt"]
print(p.exists())
