#include <array>
#include <iostream>
#include <type_traits>
template <int N> struct F { static constexpr long v = N * F<N - 1>::v; }; template <> struct F<0> { static constexpr long v = 1; };
template <class T, class... R> auto sum(T t, R... r) { if constexpr (sizeof...(r) == 0) return t; else return t + sum(r...); }
template <class T> std::enable_if_t<std::is_integral_v<T>, const char *> kind(T) { return "int"; } template <class T> std::enable_if_t<!std::is_integral_v<T>, const char *> kind(T) { return "other"; }
int main() { static_assert(F<10>::v == 3628800); std::cout << sum(1, 2.5, 3) << ' ' << kind(1) << ' ' << kind(1.0) << ' ' << F<15>::v << '\n'; }
