#include <iostream>
#include <array>
#include <list>
#include <stack>
#include <utility>
#include <cstring>
#include <fstream>
int main() { std::list<int> l{3, 1, 2}; l.sort(); std::stack<int> s; for (int x : l) s.push(x); std::array<int, 3> a{1, 2, 3}; std::ofstream("o.txt") << "file"; std::string t; std::ifstream("o.txt") >> t; std::cout << s.top() << a.size() << t << std::strlen("abc") << '\n'; }
