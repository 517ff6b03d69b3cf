#include <algorithm>
#include <cassert>
#include <iostream>
#include <vector>
int main() { std::vector<int> v; for (int i = 0; i < 100; i++) v.push_back(i * 37 % 101); std::sort(v.begin(), v.end()); assert(std::is_sorted(v.begin(), v.end())); std::cout << v.front() << ' ' << v.back() << ' ' << *std::lower_bound(v.begin(), v.end(), 50) << '\n'; }
