import sqlite3, dbm.dumb, shelve, pickle
c = sqlite3.connect("/work/x.db"); c.execute("pragma journal_mode=wal"); c.execute("create table t(a, b)"); c.executemany("insert into t values(?, ?)", [(n, n * n) for n in range(1000)]); c.commit()
assert c.execute("select sum(b) from t").fetchone()[0] == 332833500
c2 = sqlite3.connect("/work/x.db"); assert c2.execute("select count(*) from t").fetchone() == (1000,); c.close(); c2.close()
m = sqlite3.connect(":memory:"); m.execute("create virtual table f using fts5(x)") 
with shelve.open("/tmp/shelf") as s: s["k"] = {"v": 1}
with shelve.open("/tmp/shelf") as s: assert s["k"] == {"v": 1}
print("fine")
