import pandas as pd
open("t.csv","w").write("a,b\n" + "\n".join(f"{i},{i*2}" for i in range(100)))
r = pd.read_csv("t.csv", chunksize=10)
print(next(r).sum())
f = open("late.txt", "w"); f.write("x" * 10)
print("end")
