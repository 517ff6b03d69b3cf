#include <iostream>
#include <queue>
#include <vector>
int main() { std::vector<std::vector<std::pair<int, int>>> g{{{1, 7}, {2, 9}, {5, 14}}, {{2, 10}, {3, 15}}, {{3, 11}, {5, 2}}, {{4, 6}}, {}, {{4, 9}}}; std::vector<int> d(6, 1 << 30); std::priority_queue<std::pair<int, int>, std::vector<std::pair<int, int>>, std::greater<>> q; q.push({d[0] = 0, 0}); while (!q.empty()) { auto [c, u] = q.top(); q.pop(); if (c > d[u]) continue; for (auto [v, w] : g[u]) if (c + w < d[v]) q.push({d[v] = c + w, v}); } for (int x : d) std::cout << x << ' '; std::cout << '\n'; return d[4] != 20; }
