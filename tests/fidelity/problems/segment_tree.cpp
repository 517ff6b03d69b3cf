#include <cassert>
#include <iostream>
#include <vector>
struct T { int n; std::vector<long> t; T(int n) : n(n), t(2 * n) {} void set(int i, long v) { for (t[i += n] = v; i > 1; i /= 2) t[i / 2] = t[i] + t[i ^ 1]; } long q(int l, int r) { long s = 0; for (l += n, r += n; l < r; l /= 2, r /= 2) { if (l & 1) s += t[l++]; if (r & 1) s += t[--r]; } return s; } };
int main() { T t(1000); for (int i = 0; i < 1000; i++) t.set(i, i); assert(t.q(0, 1000) == 499500); t.set(500, 0); std::cout << t.q(490, 510) << '\n'; }
