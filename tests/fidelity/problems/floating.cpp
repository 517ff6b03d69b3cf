#include <cmath>
#include <iostream>
#include <limits>
int main() { std::cout.precision(17); std::cout << 0.1 + 0.2 << ' ' << std::numeric_limits<double>::max() << ' ' << std::nan("") << ' ' << -1.0 / 0.0 << ' ' << std::sqrt(2.0) << ' ' << 1e21 << ' ' << float(0.1) << '\n'; }
