template <int N, class T> struct A { struct X {}; struct Y {}; static const int v = A<N - 1, typename A<N, T>::X>::v + A<N - 1, typename A<N, T>::Y>::v; };
template <class T> struct A<0, T> { static const int v = 1; };
int main() { return A<60, int>::v; }
