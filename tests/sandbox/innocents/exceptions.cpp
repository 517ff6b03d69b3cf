#include <iostream>
#include <memory>
#include <stdexcept>
#include <csignal>
#include <csetjmp>
static jmp_buf b; struct D { ~D() { std::cout << "fine\n"; } }; static D at_exit;
int main() { if (!setjmp(b)) longjmp(b, 1); try { std::unique_ptr<int> p; p = std::make_unique<int>(1); throw std::out_of_range("x"); } catch (const std::logic_error &) {} try { auto *x = new char[1UL << 62]; (void)x; return 3; } catch (const std::bad_alloc &) {} return 0; }
