#include <iostream>
#include <sstream>
#include <iomanip>
#include <string>
int main() { std::string s, all; while (std::cin >> s) all += s; std::ostringstream o; o << std::setw(5) << std::fixed << std::setprecision(2) << 3.14159; std::cerr << ""; std::cout << (o.str() == " 3.14" ? "fine" : "wrong") << std::endl; }
