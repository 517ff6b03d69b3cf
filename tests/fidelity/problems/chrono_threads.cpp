#include <atomic>
#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>
int main() { std::mutex m; long s = 0; std::atomic<int> n{0}; std::vector<std::thread> t; for (int i = 0; i < 4; i++) t.emplace_back([&, i] { for (int j = 0; j < 1000; j++) { std::lock_guard g(m); s += i; n++; } }); for (auto &x : t) x.join(); auto a = std::chrono::steady_clock::now(); std::cout << s << ' ' << n << ' ' << (std::chrono::steady_clock::now() >= a) << '\n'; }
