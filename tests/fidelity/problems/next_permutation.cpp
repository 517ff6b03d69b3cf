#include <algorithm>
#include <iostream>
#include <string>
int main() { std::string s = "abcd"; int n = 0; do n++; while (std::next_permutation(s.begin(), s.end())); std::cout << n << s << '\n'; return n != 24; }
