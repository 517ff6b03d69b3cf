#include <iostream>
#include <memory>
#include <vector>
struct S { virtual ~S() { std::cout << "~S "; } virtual double area() const = 0; };
struct C : S { double r; C(double r) : r(r) {} ~C() override { std::cout << "~C "; } double area() const override { return 3 * r * r; } };
struct R : S { double a, b; R(double a, double b) : a(a), b(b) {} double area() const override { return a * b; } };
int main() { std::vector<std::unique_ptr<S>> v; v.push_back(std::make_unique<C>(2)); v.push_back(std::make_unique<R>(3, 4)); double t = 0; for (auto &s : v) t += s->area(); std::cout << t << '\n'; return t != 24; }
