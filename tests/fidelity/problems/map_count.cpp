#include <iostream>
#include <map>
#include <sstream>
#include <string>
int main() { std::istringstream in("the cat the dog the end"); std::map<std::string, int> m; for (std::string w; in >> w;) m[w]++; for (auto &[k, v] : m) std::cout << k << '=' << v << '\n'; return m["the"] != 3; }
