#include <iostream>
#include <memory>
struct N { std::shared_ptr<N> next; std::weak_ptr<N> prev; int v; N(int v) : v(v) {} ~N() { std::cout << "~" << v << ' '; } };
int main() { { auto a = std::make_shared<N>(1), b = std::make_shared<N>(2); a->next = b; b->prev = a; std::cout << a.use_count() << b.use_count() << b->prev.lock()->v << ' '; } std::cout << "\n"; }
