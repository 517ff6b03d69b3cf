#include <functional>
#include <iostream>
#include <vector>
int main() { std::vector<std::function<bool()>> tasks; for (int i = 1; i <= 3; i++) tasks.push_back([i, n = 0]() mutable { std::cout << i << ':' << n << ' '; return ++n < i; }); while (!tasks.empty()) { std::vector<std::function<bool()>> rest; for (auto &t : tasks) if (t()) rest.push_back(std::move(t)); tasks = std::move(rest); } std::cout << '\n'; }
