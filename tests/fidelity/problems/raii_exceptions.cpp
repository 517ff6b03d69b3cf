#include <iostream>
#include <stdexcept>
struct G { const char *n; G(const char *n) : n(n) { std::cout << "+" << n << ' '; } ~G() { std::cout << "-" << n << ' '; } };
void f(int d) { G g(d % 2 ? "odd" : "even"); if (!d) throw std::runtime_error("bottom"); f(d - 1); }
int main() { try { f(3); } catch (const std::exception &e) { std::cout << e.what() << '\n'; } try { throw 5; } catch (...) { std::cout << "any\n"; } }
