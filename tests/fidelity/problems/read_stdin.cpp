#include <iostream>
#include <string>
int main() { std::ios::sync_with_stdio(false); std::cin.tie(nullptr); std::string l; int n = 0; while (std::getline(std::cin, l)) n++; std::cout << n << std::cin.eof() << '\n'; }
