#include <iostream>
#include <numeric>
#include <vector>
int main() { std::vector<int> p(100); std::iota(p.begin(), p.end(), 0); auto find = [&](auto &&f, int x) -> int { return p[x] == x ? x : p[x] = f(f, p[x]); }; for (int i = 0; i < 100; i++) p[find(find, i)] = find(find, i % 7); int c = 0; for (int i = 0; i < 100; i++) c += find(find, i) == i; std::cout << c << '\n'; return c != 7; }
