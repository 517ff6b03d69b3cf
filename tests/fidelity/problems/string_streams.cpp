#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
int main() { std::ostringstream o; o << std::hex << 255 << ' ' << std::oct << 8 << std::dec << ' ' << std::setw(6) << std::setfill('*') << 42 << ' ' << std::fixed << std::setprecision(3) << 2.0 / 3 << ' ' << std::boolalpha << true; std::cout << o.str() << '\n'; std::string s = "a,b,c", t; std::istringstream i(s); while (std::getline(i, t, ',')) std::cout << '[' << t << ']'; std::cout << std::stoi("42") + std::stod("1.5") << std::to_string(7) << '\n'; }
