template <int N> void f() { undeclared_name_that_is_long_enough_to_fill_the_log_quickly_##N; f<N + 1>(); int x = "a" + nullptr; }
int main() { f<0>(); int x = y; z; q(); }
