#include <vector>
template <class T> void f(T t) { t.no_such_member(); }
int main() { f(std::vector<int>{}); std::vector<int> v = "text"; }
