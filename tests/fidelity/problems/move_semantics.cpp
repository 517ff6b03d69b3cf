#include <iostream>
#include <string>
#include <utility>
#include <vector>
struct B { std::string s; B(std::string s) : s(std::move(s)) {} B(const B &o) : s(o.s) { std::cout << "copy "; } B(B &&o) noexcept : s(std::move(o.s)) { std::cout << "move "; } };
int main() { B a("x"), b(a), c(std::move(a)); std::vector<B> v; v.reserve(2); v.push_back(b); v.push_back(std::move(c)); std::cout << v[0].s << a.s.empty() << '\n'; }
