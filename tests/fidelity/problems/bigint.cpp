#include <algorithm>
#include <iostream>
#include <string>
std::string mul(const std::string &a, int k) { std::string r; int c = 0; for (char x : a) { c += (x - '0') * k; r += '0' + c % 10; c /= 10; } for (; c; c /= 10) r += '0' + c % 10; return r; }
int main() { std::string f = "1"; for (int i = 2; i <= 50; i++) f = mul(f, i); std::reverse(f.begin(), f.end()); std::cout << f << '\n'; return f.substr(0, 5) != "30414"; }
