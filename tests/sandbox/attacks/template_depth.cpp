template <int N> struct B { static const int v = B<N + 1>::v; };
int main() { return B<0>::v; }
