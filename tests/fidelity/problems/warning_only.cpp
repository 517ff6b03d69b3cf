#include <iostream>
int main() { int x; if (x = 5) std::cout << "assigned " << x << '\n'; }
