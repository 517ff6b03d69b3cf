#include <bits/stdc++.h>
using namespace std;
int main() { set<int> s{3, 1, 2}; bitset<8> b(42); deque<int> d{1, 2}; d.push_front(0); tuple<int, string> t{1, "x"}; optional<int> o; variant<int, string> v = "y"s; auto [a, c] = t; unordered_map<string, int> m{{"k", 1}}; cout << *s.begin() << b << d[0] << a << c << o.value_or(9) << get<string>(v) << m.at("k") << __gcd(12, 18) << '\n'; }
