O = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(); T = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
def w(n): return O[n] if n < 20 else T[n // 10] + ("-" + O[n % 10] if n % 10 else "") if n < 100 else O[n // 100] + " hundred" + (" and " + w(n % 100) if n % 100 else "") if n < 1000 else w(n // 1000) + " thousand" + (" " + w(n % 1000) if n % 1000 else "")
assert sum(len(w(n).replace(" ", "").replace("-", "")) for n in range(1, 1001)) == 21124; print(w(342), w(98765))
