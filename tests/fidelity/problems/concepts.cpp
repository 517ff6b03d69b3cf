#if __cplusplus >= 202002L
#include <concepts>
template <std::integral T> constexpr T twice(T x) { return 2 * x; }
#else
template <class T> constexpr T twice(T x) { return 2 * x; }
#endif
#include <iostream>
int main() { static_assert(twice(21) == 42); std::cout << twice(4) << ' ' << __cplusplus << '\n'; }
