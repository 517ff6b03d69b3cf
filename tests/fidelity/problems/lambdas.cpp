#include <algorithm>
#include <functional>
#include <iostream>
#include <numeric>
#include <vector>
int main() { int k = 3; auto mul = [k](int x) { return x * k; }; std::function<int(int)> fact = [&](int n) { return n < 2 ? 1 : n * fact(n - 1); }; std::vector<int> v(10); std::iota(v.begin(), v.end(), 1); std::transform(v.begin(), v.end(), v.begin(), mul); auto gen = [n = 0]() mutable { return n++; }; gen(); std::cout << std::accumulate(v.begin(), v.end(), 0) << ' ' << fact(10) << ' ' << gen() << ' ' << std::count_if(v.begin(), v.end(), [](auto x) { return x % 2; }) << '\n'; }
