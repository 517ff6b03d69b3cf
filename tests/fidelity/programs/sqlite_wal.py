import sqlite3,threading,os
c=sqlite3.connect("t.db"); c.execute("pragma journal_mode=wal"); c.execute("create table t(a integer primary key,b text)"); c.executemany("insert into t(b) values(?)",[(str(i),) for i in range(1000)]); c.commit()
print(c.execute("select count(*),sum(a) from t").fetchone(), sorted(os.listdir(".")))
c.create_function("rev",1,lambda s:s[::-1]); print(c.execute("select rev(b) from t where a=124").fetchone())
print(c.execute("select json_extract('{\"a\":5}','$.a')").fetchone())
c.commit(); c.execute("create virtual table f using fts5(x)"); c.execute("insert into f values('hello world')"); print(c.execute("select * from f where f match 'world'").fetchall())
c.commit(); b=sqlite3.connect(":memory:"); c.backup(b); print(b.execute("select count(*) from t").fetchone()); c.close()
