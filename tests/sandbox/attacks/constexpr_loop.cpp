constexpr unsigned long f(unsigned long n) { unsigned long s = 0; for (unsigned long i = 0; i < n; i++) s += i; return s; }
constexpr unsigned long g(int n) { unsigned long s = 0; for (int i = 0; i < n; i++) s += f(200000 + i); return s; }
template <int N> struct C { static constexpr unsigned long v = g(1 + N % 1) + f(250000 + N) + C<N - 1>::v; };
template <> struct C<0> { static constexpr unsigned long v = 0; };
constexpr unsigned long v = C<880>::v;
int main() { return v; }
