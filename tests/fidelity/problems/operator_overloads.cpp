#include <iostream>
struct V { int x, y; V operator+(V o) const { return {x + o.x, y + o.y}; } bool operator==(const V &o) const { return x == o.x && y == o.y; } friend std::ostream &operator<<(std::ostream &s, V v) { return s << '(' << v.x << ',' << v.y << ')'; } int operator[](int i) const { return i ? y : x; } explicit operator bool() const { return x || y; } };
int main() { V v = V{1, 2} + V{3, 4}; std::cout << v << v[1] << bool(v) << (v == V{4, 6}) << '\n'; }
