import csv, io
f = io.StringIO(); w = csv.writer(f); w.writerows([["a", "b,c", 'd"e'], [1, 2, "x\ny"]]); f.seek(0)
rows = list(csv.reader(f)); assert rows[1][2] == "x\ny"; print(f.getvalue(), list(csv.DictReader(io.StringIO("k,v\n1,2\n"))))
