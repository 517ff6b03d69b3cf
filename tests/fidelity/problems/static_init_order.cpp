#include <iostream>
struct L { const char *n; L(const char *n) : n(n) { std::cout << "ctor " << n << '\n'; } ~L() { std::cout << "dtor " << n << '\n'; } };
static L a("a"), b("b"); L &get() { static L c("local"); return c; }
int main() { std::cout << "main\n"; get(); std::exit(3); }
