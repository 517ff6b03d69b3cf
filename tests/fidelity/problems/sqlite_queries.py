import sqlite3
c = sqlite3.connect(":memory:"); c.executescript("create table e(n text, d text, s int); insert into e values('a','x',10),('b','x',20),('c','y',5);")
r = c.execute("select d, sum(s), count(*) from e group by d order by 2 desc").fetchall(); assert r == [("x", 30, 2), ("y", 5, 1)]
print(r, c.execute("with recursive f(n) as (select 1 union all select n+1 from f where n<5) select group_concat(n) from f").fetchone(), c.execute("select n, rank() over (order by s) from e").fetchall())
